// Prometheus' HTTP API, as the collector speaks it: PromQL in, vectors and matrices out.
import { ApiError, readChecked, send } from "./http";
import { array, type Check, nullable, number, object, oneOf, ShapeError, string } from "./validate";

const base = "/api/v1";

export type Labels = Record<string, string>;

/** The sample values of one series; times in seconds. */
export interface Points {
  labels: Labels;
  times: number[];
  values: number[];
  /** It carries native histograms, which are not drawn. */
  histograms: boolean;
}

export interface Notes {
  warnings: string[];
  infos: string[];
}

export interface RangeAnswer extends Notes {
  series: Points[];
}

export interface InstantAnswer extends Notes {
  kind: "vector" | "matrix" | "scalar" | "string";
  series: Points[];
  /** Of a string only. */
  text: string | null;
}

export interface MetricMetadata {
  type: string;
  help: string;
  unit: string;
}

/** Byte offsets within the query. */
export interface BytePosition {
  start: number;
  end: number;
}

/** A query that the server refuses, and where it is wrong. */
export class PromError extends ApiError {
  constructor(
    status: number,
    code: string,
    message: string,
    hint: string | null,
    readonly bytes: BytePosition | null,
    retryAfterS: number | null = null,
  ) {
    super(status, code, message, hint, null, retryAfterS);
  }
}

const texts: Check<Labels> = (value, path) => {
  if (typeof value !== "object" || value === null) throw new ShapeError(path, "an object");
  for (const [name, text] of Object.entries(value)) string(text, `${path}.${name}`);
  return value as Labels;
};
const bytes = nullable(object<BytePosition>({ start: number, end: number }));

/** `[seconds, "value"]`; millions of them come, so that nothing is made per sample beside the two numbers. */
function readSample(sample: unknown, path: string, times: number[], values: number[]): void {
  if (!Array.isArray(sample) || typeof sample[0] !== "number" || typeof sample[1] !== "string")
    throw new ShapeError(path, "a time and a value");
  times.push(sample[0]);
  values.push(sampleValue(sample[1]));
}

export function sampleValue(text: string): number {
  if (text === "+Inf" || text === "Inf") return Number.POSITIVE_INFINITY;
  if (text === "-Inf") return Number.NEGATIVE_INFINITY;
  return Number(text);
}

const points: Check<Points> = (value, path) => {
  if (typeof value !== "object" || value === null) throw new ShapeError(path, "an object");
  const { metric, values, value: one, histogram, histograms } = value as Record<string, unknown>;
  const found: Points = {
    labels: texts(metric, `${path}.metric`),
    times: [],
    values: [],
    histograms: histogram !== undefined || histograms !== undefined,
  };
  const samples = one !== undefined ? [one] : values === undefined && found.histograms ? [] : values;
  if (!Array.isArray(samples)) throw new ShapeError(`${path}.values`, "a list");
  for (const sample of samples) readSample(sample, `${path}.values`, found.times, found.values);
  return found;
};

const matrix = object<{ resultType: "matrix"; result: Points[] }>({
  resultType: oneOf("matrix"),
  result: array(points),
});

interface InstantData {
  kind: InstantAnswer["kind"];
  series: Points[];
  text: string | null;
}

const instant: Check<InstantData> = (value, path) => {
  const { resultType } = object<{ resultType: InstantAnswer["kind"] }>({
    resultType: oneOf("vector", "matrix", "scalar", "string"),
  })(value, path);
  const { result } = value as { result: unknown };
  const at = `${path}.result`;
  if (resultType === "vector" || resultType === "matrix")
    return { kind: resultType, series: array(points)(result, at), text: null };
  if (resultType === "scalar") {
    const one = points({ metric: {}, value: result }, at);
    return { kind: resultType, series: [one], text: null };
  }
  if (!Array.isArray(result)) throw new ShapeError(at, "a time and a text");
  return { kind: resultType, series: [], text: string(result[1], `${at}[1]`) };
};

const metadataEntry: Check<MetricMetadata> = (value, path) => {
  const entry = object<{ type: string; help: string | null; unit: string | null }>({
    type: string,
    help: nullable(string),
    unit: nullable(string),
  })(value, path);
  return { type: entry.type, help: entry.help ?? "", unit: entry.unit ?? "" };
};
const metadata: Check<Record<string, MetricMetadata[]>> = (value, path) => {
  if (typeof value !== "object" || value === null) throw new ShapeError(path, "an object");
  return Object.fromEntries(
    Object.entries(value).map(([name, entries]) => [name, array(metadataEntry)(entries, `${path}.${name}`)]),
  );
};

export async function queryRange(
  request: { query: string; startS: number; endS: number; stepS: number },
  signal?: AbortSignal,
): Promise<RangeAnswer> {
  const { query, startS: start, endS: end, stepS: step } = request;
  const { data, warnings, infos } = await ask("/query_range", { query, start, end, step }, matrix, signal);
  return { series: data.result, warnings, infos };
}

export async function queryInstant(
  request: { query: string; timeS: number; limit?: number | undefined },
  signal?: AbortSignal,
): Promise<InstantAnswer> {
  const { query, timeS: time, limit } = request;
  const { data, warnings, infos } = await ask("/query", { query, time, limit }, instant, signal);
  return { ...data, warnings, infos };
}

/** A sample that a trace is known of. */
export interface ExemplarPoint {
  series: Labels;
  labels: Labels;
  value: number;
  timeS: number;
}

const exemplarRows = array(
  object<{ seriesLabels: Labels; exemplars: { labels: Labels; value: string; timestamp: number }[] }>({
    seriesLabels: texts,
    exemplars: array(
      object<{ labels: Labels; value: string; timestamp: number }>({
        labels: texts,
        value: string,
        timestamp: number,
      }),
    ),
  }),
);

/** The exemplars of the series that a query reads. */
export async function queryExemplars(
  request: { query: string; startS: number; endS: number },
  signal?: AbortSignal,
): Promise<ExemplarPoint[]> {
  const { query, startS: start, endS: end } = request;
  const { data } = await ask("/query_exemplars", { query, start, end }, exemplarRows, signal);
  return data.flatMap(({ seriesLabels, exemplars }) =>
    exemplars.map(({ labels, value, timestamp }) => ({
      series: seriesLabels,
      labels,
      value: sampleValue(value),
      timeS: timestamp,
    })),
  );
}

interface Within {
  startS: number;
  endS: number;
  /** Selectors; without one, among every series. */
  match?: string[] | undefined;
  limit?: number | undefined;
}

export async function fetchSeries(within: Within, signal?: AbortSignal): Promise<Labels[]> {
  return (await ask("/series", among(within), array(texts), signal)).data;
}

export async function fetchLabelNames(within: Within, signal?: AbortSignal): Promise<string[]> {
  return (await ask("/labels", among(within), array(string), signal)).data;
}

export async function fetchLabelValues(
  label: string,
  within: Within,
  signal?: AbortSignal,
): Promise<string[]> {
  const path = `/label/${encodeURIComponent(escapedLabel(label))}/values`;
  return (await ask(path, among(within), array(string), signal, "GET")).data;
}

export async function fetchMetadata(signal?: AbortSignal): Promise<Record<string, MetricMetadata[]>> {
  return (await ask("/metadata", {}, metadata, signal, "GET")).data;
}

/** The query as Prometheus would write it. */
export async function formatQuery(query: string, signal?: AbortSignal): Promise<string> {
  return (await ask("/format_query", { query }, string, signal)).data;
}

/** Null when the query can be read; otherwise what is wrong with it. */
export async function parseQuery(query: string, signal?: AbortSignal): Promise<PromError | null> {
  try {
    await ask("/parse_query", { query }, (value) => value, signal);
    return null;
  } catch (cause) {
    if (cause instanceof PromError && cause.status === 400) return cause;
    throw cause;
  }
}

/** Names beyond letters, digits and underscores travel in a path as Prometheus' `U__` form. */
export function escapedLabel(name: string): string {
  if (/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)) return name;
  const parts = Array.from(name, (character, at) => {
    if (character === "_") return "__";
    const plain = at === 0 ? /[a-zA-Z]/ : /[a-zA-Z0-9]/;
    return plain.test(character) ? character : `_${character.codePointAt(0)?.toString(16)}_`;
  });
  return `U__${parts.join("")}`;
}

type Values = Record<string, string | number | string[] | undefined>;

function among({ startS, endS, match, limit }: Within): Values {
  return { "match[]": match, start: startS, end: endS, limit };
}

async function ask<T>(
  path: string,
  values: Values,
  check: Check<T>,
  signal?: AbortSignal,
  method: "GET" | "POST" = "POST",
): Promise<Notes & { data: T }> {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(values))
    for (const one of Array.isArray(value) ? value : [value])
      if (one !== undefined) params.append(name, String(one));
  const init: RequestInit = { method, ...(signal && { signal }), ...(method === "POST" && { body: params }) };
  const query = method === "GET" && params.size > 0 ? `?${params}` : "";
  const response = await send(`${base}${path}${query}`, init, promError);
  const envelope = object<Notes & { status: "success"; data: T }>({
    status: oneOf("success"),
    data: check,
    warnings: (value, at) => nullable(array(string))(value, at) ?? [],
    infos: (value, at) => nullable(array(string))(value, at) ?? [],
  });
  return readChecked(response, (text) => envelope(JSON.parse(text), path.slice(1)));
}

const hints: Record<string, string> = {
  timeout: "Ask for a shorter time range, or for fewer series.",
  canceled: "Ask again.",
  execution: "Name fewer series, or aggregate them.",
};

async function promError(response: Response): Promise<ApiError> {
  const retryAfter = Number(response.headers.get("Retry-After") ?? Number.NaN);
  const retryAfterS = Number.isFinite(retryAfter) ? retryAfter : null;
  try {
    const { errorType, error, position } = object<{
      errorType: string;
      error: string;
      position: BytePosition | null;
    }>({ errorType: string, error: string, position: bytes })(await response.json(), "error");
    return new PromError(response.status, errorType, error, hints[errorType] ?? null, position, retryAfterS);
  } catch {
    const message = `The collector answered with status ${response.status}`;
    return new PromError(response.status, "unknown", message, null, null, retryAfterS);
  }
}
