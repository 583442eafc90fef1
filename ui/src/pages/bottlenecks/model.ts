// What a verdict is to a person: its state, its amounts, its culprit by name. Pure.
import type {
  Confidence,
  Culprit,
  Entity,
  Hop,
  Level,
  Sli,
  Stored,
  Symptom,
  Verdict,
  Watch,
} from "../../api/bottlenecks";
import { formatExact, formatShare, plural } from "../../lib/number";
import { formatClock, formatDuration, NBSP } from "../../lib/time/format";
import type { Zone } from "../../lib/time/zone";
import { formatValue } from "../../lib/units";

/** As the page says it. */
export type State = "open" | "not_localised" | "closed";

export function stateOf({ closed_s, verdict }: Pick<Stored, "closed_s" | "verdict">): State {
  if (closed_s !== null || verdict.state === "closed" || verdict.state === "quiet") return "closed";
  return verdict.state;
}

/** Red where somebody is called for it, amber where nobody is; what is vague or over has no colour. */
export function markOf(stored: Stored): "crit" | "warn" | "vague" | "over" {
  const state = stateOf(stored);
  if (state === "closed") return "over";
  if (state === "not_localised") return "vague";
  return stored.alerts.length > 0 ? "crit" : "warn";
}

/** Why no verdict is no good news; null where it is. */
export function unwatchedText(
  { watch, looked_at_s }: Watch,
  zone: Zone,
): { title: string; why: string } | null {
  if (watch === "off")
    return { title: "Not watched.", why: "verdicts.enabled is false in the collector's configuration." };
  if (watch === "late")
    return {
      title: "Not known.",
      why:
        looked_at_s === null
          ? "No look at the requests from outside has succeeded yet; the collector's log says why."
          : `The last look at the requests from outside was at ${formatClock(looked_at_s * 1000, zone)}; the collector's log says why.`,
    };
  return looked_at_s === null
    ? {
        title: "Not looked yet.",
        why: "The collector has just started; the first look comes within seconds.",
      }
    : null;
}

/** How long it went on, or has gone on up to now. */
export function lastedMs({ closed_s, verdict }: Stored, nowMs: number): number {
  return Math.max(0, (closed_s === null ? nowMs : closed_s * 1000) - verdict.window.onset_s * 1000);
}

export function lastedText(stored: Stored, nowMs: number): string {
  return formatDuration(lastedMs(stored, nowMs));
}

/** What there is to explain, in the symptom's unit. */
export function addedOf({ baseline, now }: Pick<Symptom, "baseline" | "now">): number {
  return now - baseline;
}

/** "690 ms", "5.2 s"; of errors "5.93 %". */
export function amountText(value: number, sli: Sli): string {
  return sli === "latency" ? formatValue(value / 1000, "s") : formatValue(value, "percentunit");
}

/** "180 → 940 ms", the unit once where it is the same. */
export function beforeNowText(before: number, now: number, sli: Sli): string {
  const [from, to] = [amountText(before, sli), amountText(now, sli)];
  const unit = to.split(NBSP)[1];
  return `${unit !== undefined && from.endsWith(`${NBSP}${unit}`) ? from.split(NBSP)[0] : from} → ${to}`;
}

export const levelNames: Record<Level, string> = {
  high: "High confidence",
  medium: "Medium confidence",
  low: "Low confidence",
};

/** Full bars: high 3, medium 2, low and no verdict 1. */
export function barsOf(confidence: Confidence | null): number {
  if (confidence === null) return 1;
  return { high: 3, medium: 2, low: 1 }[confidence.level];
}

/** Confidence is a rate that was measured. */
export function precisionText({ precision, cases }: Confidence): string {
  if (precision === null || cases === 0) return "not measured yet how often this level is right";
  return `this level is right in ${formatShare(precision)} of ${plural(cases, "test case")}`;
}

const kinds: Record<string, string> = {
  cpu_saturation: "CPU saturation",
  cpu_throttling: "CPU throttling",
  gc_pressure: "Garbage collection",
  disk_full: "Full disk",
  n_plus_one: "N+1 calls",
  db_lock: "Database lock",
  noisy_neighbour: "Noisy neighbour",
  bad_deploy: "Bad deploy",
  unexplained: "Cause unknown",
};

/** "Slow statement, missing index". */
export function kindText({ kind, subkind }: Pick<Culprit, "kind" | "subkind">): string {
  const plain = kind.replaceAll("_", " ");
  const name = kinds[kind] ?? plain.charAt(0).toUpperCase() + plain.slice(1);
  return subkind === null ? name : `${name}, ${subkind.replaceAll("_", " ")}`;
}

/** "postgres", "checkout → payment", "stress-ng on app-4". */
export function entityText({ type, service, peer, process, host }: Entity): string {
  if (type === "edge" && peer !== null) return `${service} → ${peer}`;
  if (type === "process" && process !== null) return host === null ? process : `${process} on ${host}`;
  if (type === "host" && host !== null) return host;
  return service;
}

/** The part of the sentence that names what is narrow: a statement, a process, a queue. */
export function headlineParts(
  headline: string,
  culprit: Culprit | null,
): { text: string; isCulprit: boolean }[] {
  const { statement = null, process = null, operation = null } = culprit?.entity ?? {};
  const named = [statement, process, operation].find((one) => one && headline.includes(one));
  if (!named) return [{ text: headline, isCulprit: false }];
  const at = headline.indexOf(named);
  return [
    { text: headline.slice(0, at), isCulprit: false },
    { text: named, isCulprit: true },
    { text: headline.slice(at + named.length), isCulprit: false },
  ].filter(({ text }) => text !== "");
}

export interface CulpritPlace {
  /** Index of the hop; null: no hop of the path is it. */
  hop: number | null;
  /** It is the way from this hop to the next. */
  isEdge: boolean;
}

/** Where on the path the culprit is. */
export function culpritPlace({ culprit, path }: Pick<Verdict, "culprit" | "path">): CulpritPlace {
  if (culprit === null || path.length === 0) return { hop: null, isEdge: false };
  const { type, service, peer } = culprit.entity;
  const edge = path.findIndex((hop, at) => hop.service === service && path[at + 1]?.service === peer);
  if (type === "edge" && edge >= 0) return { hop: edge, isEdge: true };
  const node = path.findLastIndex((hop) => hop.service === service);
  return { hop: node >= 0 ? node : path.length - 1, isEdge: false };
}

/** "1.2 → 62 ms × 11.3 calls". */
export function hopText({ baseline, now, calls }: Hop, sli: Sli): string {
  const times = Math.abs(calls - 1) < 0.05 || calls === 0 ? "" : ` × ${formatValue(calls, "none")} calls`;
  // What takes no time at all has answered nothing.
  const change =
    sli === "latency" && now === 0 && baseline > 0
      ? `${amountText(baseline, sli)} → no answer`
      : beforeNowText(baseline, now, sli);
  return `${change}${times}`;
}

/** "9,120 slow requests, 71 % of all". */
export function impactText({ impact, symptom }: Pick<Verdict, "impact" | "symptom">): string | null {
  if (impact.requests_affected <= 0) return null;
  const what = symptom.is_queue
    ? "late messages"
    : symptom.sli === "latency"
      ? "slow requests"
      : "failed requests";
  const all = impact.share > 0 ? `, ${formatShare(impact.share)} of all` : "";
  return `${formatExact(impact.requests_affected)} ${what}${all}`;
}

/** What would happen without the culprit; null where that is not known. */
export function fixText({ fix, symptom }: Pick<Verdict, "fix" | "symptom">): string | null {
  if (fix === null) return null;
  const [expected, threshold] = [fix.expected, fix.threshold].map((value) => amountText(value, symptom.sli));
  const what = symptom.sli === "latency" ? "a mean of" : "failures of";
  return fix.is_enough
    ? `Without it ${what} ${expected} is expected, under the ${threshold} that is still normal.`
    : `Without it ${what} ${expected} is expected, still over the ${threshold} that is normal: more contributes.`;
}

/** What got worse. */
export function sliText({ sli, is_queue }: Pick<Symptom, "sli" | "is_queue">): string {
  if (is_queue) return "wait of messages";
  return sli === "latency" ? "latency" : "failures";
}

/** "edge POST /checkout". */
export function symptomText({ service, operation }: Pick<Symptom, "service" | "operation">): string {
  return operation === null ? service : `${service} ${operation}`;
}

/** The start and the end of an id that nobody reads. */
export function shortId(id: string): string {
  return id.length <= 14 ? id : `${id.slice(0, 12)}…`;
}

/** What the verdict means for somebody who came from elsewhere, in one sentence. */
export function noteText(stored: Stored, role: "bottleneck" | "contributes" | "other"): string {
  const { symptom, culprit } = stored.verdict;
  const [of, added] = [symptomText(symptom), amountText(addedOf(symptom), symptom.sli)];
  const isLatency = symptom.sli === "latency";
  if (culprit === null) {
    if (symptom.is_queue) return `Messages wait ${added} longer in ${of}; not localised.`;
    return `${of} is ${isLatency ? `${added} slower` : `failing ${added} more`}; not localised.`;
  }
  const part = `${amountText(culprit.contribution, symptom.sli)} of ${added}`;
  if (role === "bottleneck")
    return `The bottleneck: it adds ${part} to ${symptom.is_queue ? "the wait in " : ""}${of}.`;
  if (role === "contributes")
    return `It contributes to the bottleneck of ${of}, which is ${entityText(culprit.entity)}.`;
  const what = symptom.is_queue ? `Messages wait in ${of}` : `${of} ${isLatency ? "is slow" : "fails"}`;
  return `${what} because of ${entityText(culprit.entity)}: ${part}.`;
}
