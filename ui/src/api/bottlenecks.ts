// Verdicts: where the bottleneck is, since when, how much it explains and why. Times within a verdict are seconds.
import { call, get } from "./http";
import { array, boolean, type Check, jsonObject, nullable, number, object, oneOf, string } from "./validate";

export type Sli = "latency" | "errors";
export type VerdictState = "open" | "closed" | "not_localised" | "quiet";
export type Level = "low" | "medium" | "high";

export interface Symptom {
  service: string;
  operation: string | null;
  sli: Sli;
  /** Mean before and since the onset: ms, or a share of requests. All shares are of their difference. */
  baseline: number;
  now: number;
  baseline_p95_ms: number | null;
  now_p95_ms: number | null;
  requests: number;
  /** The operation is a queue of a broker: its requests are messages, and what they take is how long they wait. */
  is_queue: boolean;
}

export interface SpanS {
  from_s: number;
  to_s: number;
}

export interface VerdictWindow {
  onset_s: number;
  onset_interval_s: number;
  detected_s: number;
  baseline: SpanS;
  hot: SpanS;
}

export interface Entity {
  /** `service`, `edge`, `database`, `messaging`, `external`, `host`, `process`. */
  type: string;
  service: string;
  operation: string | null;
  /** Of an edge: its callee. */
  peer: string | null;
  statement: string | null;
  instance: string | null;
  host: string | null;
  process: string | null;
}

export interface Culprit {
  entity: Entity;
  kind: string;
  subkind: string | null;
  resource: string;
  coverage: number;
  contribution: number;
  margin: number;
}

export interface Confidence {
  level: Level;
  precision: number | null;
  cases: number;
}

export interface Hop {
  service: string;
  operation: string | null;
  onset_s: number | null;
  baseline: number;
  now: number;
  calls: number;
  adds: number;
  passes_on: number;
  keeps: number;
  keeps_self: number;
  keeps_queueing: number;
  keeps_network: number;
  is_blind: boolean;
}

export interface Evidence {
  family: string;
  type: string;
  text: string;
  baseline: number | null;
  now: number | null;
  unit: string;
  /** PromQL, or a search: `logs:…`, `traces:…`. */
  query: string | null;
  exemplars: string[];
  at_s: number | null;
}

export interface CohortRow {
  /** Whose spans have the attribute; empty: not told. */
  service: string;
  attribute: string;
  value: string;
  slow: number;
  normal: number;
  effect: number;
  q: number;
}

export interface RuledOut {
  what: string;
  why: string;
}

export interface DataQuality {
  trace_coverage: number;
  traces: number;
  blind_hops: number;
  clock_skew_ms: number;
  baseline_steps: number;
  missing: string[];
}

export interface Verdict {
  state: VerdictState;
  headline: string;
  summary: string;
  symptom: Symptom;
  window: VerdictWindow;
  culprit: Culprit | null;
  confidence: Confidence | null;
  path: Hop[];
  unexplained: number;
  evidence: Evidence[];
  contributors: Culprit[];
  ruled_out: RuledOut[];
  cohort: CohortRow[];
  fix: { expected: number; threshold: number; is_enough: boolean } | null;
  impact: { operations: string[]; requests_affected: number; share: number };
  headroom: { resource: string; now: number; limit: number } | null;
  data_quality: DataQuality;
  next_steps: string[];
  method: string;
}

export interface Feedback {
  answer: "correct" | "wrong";
  actual: string | null;
  by: string;
  at_s: number;
}

export interface Stored {
  id: string;
  rev: number;
  opened_s: number;
  updated_s: number;
  closed_s: number | null;
  verdict: Verdict;
  feedback: Feedback | null;
  /** Fingerprints. */
  alerts: string[];
  /** The id of the verdict that this one turned out to be a part of. */
  merged_into: string | null;
}

/** `late`: the last look at the entries is too long ago, or failed; `off`: nobody is to look. */
export type WatchState = "on" | "late" | "off";

/** Whether somebody looks for symptoms: only then is no verdict good news. */
export interface Watch {
  watch: WatchState;
  looked_at_s: number | null;
}

export interface StoredList extends Watch {
  verdicts: Stored[];
}

export interface Revision {
  rev: number;
  at_s: number;
  headline: string;
}

export interface StoredWithRevisions extends Stored {
  revisions: Revision[];
}

const texts: Check<string[]> = (value, path) => nullable(array(string))(value, path) ?? [];
/** JSON has no NaN: what is not known comes as null, and is drawn as a dash. */
const figure: Check<number> = (value, path) => nullable(number)(value, path) ?? Number.NaN;
/** Of what is summed up, what is not known is nothing. */
const amount: Check<number> = (value, path) => nullable(number)(value, path) ?? 0;
/** Only told where it holds. */
const flag: Check<boolean> = (value, path) => nullable(boolean)(value, path) ?? false;
const spanS = object<SpanS>({ from_s: number, to_s: number });

const culprit = object<Culprit>({
  entity: object<Entity>({
    type: string,
    service: string,
    operation: nullable(string),
    peer: nullable(string),
    statement: nullable(string),
    instance: nullable(string),
    host: nullable(string),
    process: nullable(string),
  }),
  kind: string,
  subkind: nullable(string),
  resource: string,
  coverage: amount,
  contribution: amount,
  margin: amount,
});

const evidence = object<Evidence>({
  family: string,
  type: string,
  text: string,
  baseline: nullable(number),
  now: nullable(number),
  unit: string,
  query: nullable(string),
  exemplars: texts,
  at_s: nullable(number),
});

export const verdict = object<Verdict>({
  state: oneOf<VerdictState>("open", "closed", "not_localised", "quiet"),
  headline: string,
  summary: string,
  symptom: object<Symptom>({
    service: string,
    operation: nullable(string),
    sli: oneOf<Sli>("latency", "errors"),
    baseline: amount,
    now: amount,
    baseline_p95_ms: nullable(number),
    now_p95_ms: nullable(number),
    requests: amount,
    is_queue: flag,
  }),
  window: object<VerdictWindow>({
    onset_s: number,
    onset_interval_s: number,
    detected_s: number,
    baseline: spanS,
    hot: spanS,
  }),
  culprit: nullable(culprit),
  confidence: nullable(
    object<Confidence>({
      level: oneOf<Level>("low", "medium", "high"),
      precision: nullable(number),
      cases: number,
    }),
  ),
  path: array(
    object<Hop>({
      service: string,
      operation: nullable(string),
      onset_s: nullable(number),
      baseline: figure,
      now: figure,
      calls: amount,
      adds: amount,
      passes_on: amount,
      keeps: amount,
      keeps_self: amount,
      keeps_queueing: amount,
      keeps_network: amount,
      is_blind: boolean,
    }),
  ),
  unexplained: amount,
  evidence: array(evidence),
  contributors: array(culprit),
  ruled_out: array(object<RuledOut>({ what: string, why: string })),
  cohort: array(
    object<CohortRow>({
      service: (value, path) => nullable(string)(value, path) ?? "",
      attribute: string,
      value: string,
      slow: amount,
      normal: amount,
      effect: amount,
      q: amount,
    }),
  ),
  fix: nullable(
    object<NonNullable<Verdict["fix"]>>({ expected: figure, threshold: figure, is_enough: boolean }),
  ),
  impact: object<Verdict["impact"]>({ operations: texts, requests_affected: amount, share: amount }),
  headroom: nullable(
    object<NonNullable<Verdict["headroom"]>>({ resource: string, now: figure, limit: figure }),
  ),
  data_quality: object<DataQuality>({
    trace_coverage: amount,
    traces: amount,
    blind_hops: amount,
    clock_skew_ms: figure,
    baseline_steps: amount,
    missing: texts,
  }),
  next_steps: texts,
  method: string,
});

const feedback = object<Feedback>({
  answer: oneOf("correct", "wrong"),
  actual: nullable(string),
  by: string,
  at_s: number,
});

const fields: { [K in keyof Stored]: Check<Stored[K]> } = {
  id: string,
  rev: number,
  opened_s: number,
  updated_s: number,
  closed_s: nullable(number),
  verdict,
  feedback: nullable(feedback),
  alerts: texts,
  merged_into: nullable(string),
};
const storedList = object<StoredList>({
  verdicts: array(object<Stored>(fields)),
  watch: oneOf<WatchState>("on", "late", "off"),
  looked_at_s: nullable(number),
});
const storedOne = object<StoredWithRevisions>({
  ...fields,
  revisions: (value, path) =>
    nullable(array(object<Revision>({ rev: number, at_s: number, headline: string })))(value, path) ?? [],
});

export type ListState = "open" | "closed" | "not_localised" | "all";

export function fetchVerdicts(state: ListState, limit: number, signal: AbortSignal): Promise<StoredList> {
  return get("/bottlenecks", { state, limit }, storedList, signal);
}

const openLimit = 50;

/** What goes on now: those with a culprit first, then those without, each the newest first. */
export async function fetchOpenVerdicts(signal: AbortSignal): Promise<StoredList> {
  const [open, vague] = await Promise.all([
    fetchVerdicts("open", openLimit, signal),
    fetchVerdicts("not_localised", openLimit, signal),
  ]);
  const verdicts = [...open.verdicts, ...vague.verdicts].filter(({ closed_s }) => closed_s === null);
  return { ...vague, verdicts };
}

export function fetchVerdict(
  id: string,
  rev: number | null,
  signal: AbortSignal,
): Promise<StoredWithRevisions> {
  return get(`/bottlenecks/${encodeURIComponent(id)}`, { rev: rev ?? undefined }, storedOne, signal);
}

export interface SymptomSeries {
  step_s: number;
  times: number[];
  value: (number | null)[];
  p95: (number | null)[] | null;
  /** Null where there were too few values. */
  baseline: { median: number; mad: number } | null;
  threshold: number | null;
  changes: { at_s: number; text: string; kind: string }[];
}

const values = array(nullable(number));
const symptomSeries = object<SymptomSeries>({
  step_s: number,
  times: array(number),
  value: values,
  p95: nullable(values),
  baseline: (value, path) => {
    const { median, mad } = object<{ median: number; mad: number }>({ median: figure, mad: figure })(
      value,
      path,
    );
    return Number.isNaN(median) || Number.isNaN(mad) ? null : { median, mad };
  },
  threshold: nullable(number),
  changes: array(object<SymptomSeries["changes"][number]>({ at_s: number, text: string, kind: string })),
});

/** Of the revision that is shown: a later one may be about another operation. */
export function fetchSymptom(id: string, rev: number, signal: AbortSignal): Promise<SymptomSeries> {
  return get(`/bottlenecks/${encodeURIComponent(id)}/symptom`, { rev }, symptomSeries, signal);
}

export interface EvidenceSeries {
  labels: Record<string, string>;
  values: [timeS: number, value: number | null][];
}

const labels: Check<Record<string, string>> = (value, path) => {
  const found = jsonObject(value, path);
  for (const [name, text] of Object.entries(found)) string(text, `${path}.${name}`);
  return found as Record<string, string>;
};
const point: Check<[number, number | null]> = (value, path) => {
  const [time, found] = array((one) => one)(value, path);
  // Prometheus writes values as text, so that they may be infinite.
  const read = typeof found === "string" ? Number(found) : nullable(number)(found, path);
  return [number(time, path), read !== null && Number.isFinite(read) ? read : null];
};
const evidenceData = object<{ series: EvidenceSeries[] }>({
  series: array(object<EvidenceSeries>({ labels, values: array(point) })),
});

/** A piece of evidence is known by its place in a revision. */
export async function fetchEvidence(
  id: string,
  rev: number,
  at: number,
  signal: AbortSignal,
): Promise<EvidenceSeries[]> {
  const path = `/bottlenecks/${encodeURIComponent(id)}/evidence/${at}/data`;
  return (await get(path, { rev }, evidenceData, signal)).series;
}

/** Was it right? What people say is what the precision of a level is measured by. */
export function sendFeedback(id: string, answer: Feedback["answer"], actual: string | null): Promise<void> {
  const body = { answer, ...(actual !== null && { actual }) };
  return call("POST", `/bottlenecks/${encodeURIComponent(id)}/feedback`, body);
}
