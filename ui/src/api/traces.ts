// Traces: what matches a query, points for a scatter, one trace for its waterfall, one span with everything it carries.
import type { Json } from "../lib/json";
import type { TraceView } from "../lib/trace/view";
import { type FacetsAnswer, facetsAnswer } from "./facets";
import { type FieldName, fields } from "./fields";
import { addressOf, get, type Params, readChecked, send } from "./http";
import { type ResultTable, table } from "./logs";
import { traceView } from "./traceView";
import { array, boolean, jsonObject, nullable, number, object, oneOf, string } from "./validate";

export type TraceOrder = "newest" | "oldest" | "slowest";
export type SpanKind = "unspecified" | "internal" | "server" | "client" | "producer" | "consumer";
export type SpanStatus = "unset" | "ok" | "error";

export interface SpanSummary {
  span_id: string;
  parent_id: string | null;
  service: string;
  name: string;
  kind: SpanKind;
  status: SpanStatus;
  /** RFC 3339 with nanoseconds. */
  start: string;
  duration_ns: number;
}

export interface ServiceCount {
  service: string;
  spans: number;
  errors: number;
}

export interface TraceSummary {
  trace_id: string;
  start: string;
  duration_ns: number;
  root: SpanSummary | null;
  spans: number;
  errors: number;
  /** Those with most spans first. */
  services: ServiceCount[];
  /** The longest of the spans that matched, at most three. */
  matched: SpanSummary[];
  matched_spans: number;
}

export interface TracesAnswer {
  traces: TraceSummary[];
  matched_spans: number;
  /** False: the search stopped at the limit, so that counts are of what was looked at. */
  whole: boolean;
  searched: number;
  partial: boolean;
  warnings: string[];
  took_ms: number;
  table: ResultTable | null;
}

export interface TracePoint {
  trace_id: string;
  start: string;
  duration_ns: number;
  error: boolean;
  service: string;
  name: string;
}

export interface PointsAnswer {
  points: TracePoint[];
  total: number;
  partial: boolean;
  warnings: string[];
  took_ms: number;
}

export interface SpanEvent {
  time: string;
  offset_ns: number;
  name: string;
  attributes: { [key: string]: Json };
}

export interface SpanLink {
  /** Null: the program sent none that can be one. */
  trace_id: string | null;
  span_id: string | null;
  attributes: { [key: string]: Json };
}

export interface SpanDetail {
  trace_id: string;
  span_id: string;
  parent_id: string | null;
  trace_state: string;
  service: string | null;
  host: string | null;
  name: string;
  kind: SpanKind;
  status: SpanStatus;
  status_message: string;
  start: string;
  end: string;
  duration_ns: number;
  attributes: { [key: string]: Json };
  resource: { [key: string]: Json };
  scope: { [key: string]: Json } | null;
  events: SpanEvent[];
  links: SpanLink[];
  dropped: { attributes: number; events: number; links: number };
}

const kind = oneOf<SpanKind>("unspecified", "internal", "server", "client", "producer", "consumer");
const status = oneOf<SpanStatus>("unset", "ok", "error");
const spanSummary = object<SpanSummary>({
  span_id: string,
  parent_id: nullable(string),
  service: string,
  name: string,
  kind,
  status,
  start: string,
  duration_ns: number,
});
const tracesAnswer = object<TracesAnswer>({
  traces: array(
    object<TraceSummary>({
      trace_id: string,
      start: string,
      duration_ns: number,
      root: nullable(spanSummary),
      spans: number,
      errors: number,
      services: array(object<ServiceCount>({ service: string, spans: number, errors: number })),
      matched: array(spanSummary),
      matched_spans: number,
    }),
  ),
  matched_spans: number,
  whole: boolean,
  searched: number,
  partial: boolean,
  warnings: array(string),
  took_ms: number,
  table: nullable(table),
});
const pointsAnswer = object<PointsAnswer>({
  points: array(
    object<TracePoint>({
      trace_id: string,
      start: string,
      duration_ns: number,
      error: boolean,
      service: string,
      name: string,
    }),
  ),
  total: number,
  partial: boolean,
  warnings: array(string),
  took_ms: number,
});
const text = (value: unknown, path: string): string => nullable(string)(value, path) ?? "";
const dropped = (value: unknown, path: string): SpanDetail["dropped"] => {
  const count = (one: unknown, at: string) => nullable(number)(one, at) ?? 0;
  return (
    nullable(object<SpanDetail["dropped"]>({ attributes: count, events: count, links: count }))(
      value,
      path,
    ) ?? { attributes: 0, events: 0, links: 0 }
  );
};
const spans = object<{ spans: SpanDetail[] }>({
  spans: array(
    object<SpanDetail>({
      trace_id: string,
      span_id: string,
      parent_id: nullable(string),
      trace_state: text,
      service: nullable(string),
      host: nullable(string),
      name: string,
      kind,
      status,
      status_message: text,
      start: string,
      end: string,
      duration_ns: number,
      attributes: jsonObject,
      resource: jsonObject,
      scope: nullable(jsonObject),
      events: array(
        object<SpanEvent>({ time: string, offset_ns: number, name: string, attributes: jsonObject }),
      ),
      links: array(
        object<SpanLink>({ trace_id: nullable(string), span_id: nullable(string), attributes: jsonObject }),
      ),
      dropped,
    }),
  ),
});

interface Among {
  query: string;
  start: string;
  end: string;
}

export function searchTraces(
  request: Among & { order: TraceOrder; limit: number },
  signal: AbortSignal,
): Promise<TracesAnswer> {
  return get("/traces/search", { ...request }, tracesAnswer, signal);
}

export function fetchPoints(among: Among & { limit: number }, signal: AbortSignal): Promise<PointsAnswer> {
  return get("/traces/points", { ...among }, pointsAnswer, signal);
}

export function fetchSpanFacets(
  among: Among & { fields?: string | undefined; limit: number },
  signal: AbortSignal,
): Promise<FacetsAnswer> {
  return get("/traces/facets", { ...among }, facetsAnswer, signal);
}

export async function fetchSpanFields(
  among: Among & { prefix: string },
  signal: AbortSignal,
): Promise<FieldName[]> {
  return (await get("/traces/fields", { ...among }, fields, signal)).fields;
}

/** For the waterfall. Read without looking at each digit: ids are text, and no time here passes 2^53. */
export async function fetchTraceView(traceId: string, signal: AbortSignal): Promise<TraceView> {
  const path = `/traces/${encodeURIComponent(traceId)}/view`;
  const response = await send(addressOf(path, {} as Params), { signal });
  return readChecked(response, (body) => traceView(JSON.parse(body), "trace"));
}

/** Spans that share the id, as Zipkin's clients and servers do, come together. */
export async function fetchSpan(traceId: string, spanId: string, signal: AbortSignal): Promise<SpanDetail[]> {
  const path = `/traces/${encodeURIComponent(traceId)}/spans/${encodeURIComponent(spanId)}`;
  return (await get(path, {}, spans, signal)).spans;
}

/** Where the whole trace is as OTLP/JSON. */
export function traceAddress(traceId: string): string {
  return addressOf(`/traces/${encodeURIComponent(traceId)}`, {});
}
