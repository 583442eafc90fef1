import type { Json } from "../lib/json";
import type { Position } from "../lib/query/position";
import type { Severity } from "../lib/severity";
import { get, type Params } from "./http";
import { array, boolean, json, jsonObject, nullable, number, object, oneOf, string } from "./validate";

export type Order = "newest" | "oldest";

export interface LogRecord {
  id: string;
  /** RFC 3339 with nanoseconds. */
  timestamp: string;
  observed_timestamp: string | null;
  severity: string | null;
  severity_number: number;
  service: string | null;
  host: string | null;
  body: Json;
  attributes: { [key: string]: Json };
  resource: { [key: string]: Json };
  scope: { [key: string]: Json } | null;
  trace_id: string | null;
  span_id: string | null;
  event_name: string | null;
  flags: number;
}

export interface Column {
  name: string;
  kind: "string" | "number" | "time";
}

export interface ResultTable {
  columns: Column[];
  rows: Json[][];
}

export interface SearchAnswer {
  records: LogRecord[];
  matched: number;
  partial: boolean;
  warnings: string[];
  searched: number;
  took_ms: number;
  next_cursor: string | null;
  table: ResultTable | null;
}

export interface HistogramAnswer {
  /** RFC 3339; where the first bucket begins. */
  start: string;
  bucket_ms: number;
  buckets: number;
  series: { severity: Severity; counts: number[] }[];
  matched: number;
  partial: boolean;
  warnings: string[];
  took_ms: number;
}

export interface QueryError {
  message: string;
  hint: string | null;
  position: Position | null;
}

export interface ParseAnswer {
  tokens: { start: number; end: number; kind: string }[];
  error: QueryError | null;
}

const position = object<Position>({ start: number, end: number });
export const logRecord = object<LogRecord>({
  id: string,
  timestamp: string,
  observed_timestamp: nullable(string),
  severity: nullable(string),
  severity_number: number,
  service: nullable(string),
  host: nullable(string),
  body: (value) => (value === undefined ? null : (value as Json)),
  attributes: jsonObject,
  resource: jsonObject,
  scope: nullable(jsonObject),
  trace_id: nullable(string),
  span_id: nullable(string),
  event_name: nullable(string),
  flags: (value, path) => nullable(number)(value, path) ?? 0,
});
export const table = object<ResultTable>({
  columns: array(object<Column>({ name: string, kind: oneOf("string", "number", "time") })),
  rows: array(array(json)),
});
const searchAnswer = object<SearchAnswer>({
  records: array(logRecord),
  matched: number,
  partial: boolean,
  warnings: array(string),
  searched: number,
  took_ms: number,
  next_cursor: nullable(string),
  table: nullable(table),
});
const histogramAnswer = object<HistogramAnswer>({
  start: string,
  bucket_ms: number,
  buckets: number,
  series: array(
    object<HistogramAnswer["series"][number]>({
      severity: oneOf("fatal", "error", "warn", "info", "debug", "trace", "unset"),
      counts: array(number),
    }),
  ),
  matched: number,
  partial: boolean,
  warnings: array(string),
  took_ms: number,
});
const parseAnswer = object<ParseAnswer>({
  tokens: array(object<ParseAnswer["tokens"][number]>({ start: number, end: number, kind: string })),
  error: nullable(
    object<QueryError>({ message: string, hint: nullable(string), position: nullable(position) }),
  ),
});

export interface SearchRequest {
  query: string;
  start: string;
  end: string;
  order: Order;
  limit: number;
  cursor?: string | undefined;
}

export function searchLogs(request: SearchRequest, signal: AbortSignal): Promise<SearchAnswer> {
  return get("/logs/search", request as SearchRequest & Params, searchAnswer, signal);
}

export function fetchHistogram(
  request: { query: string; start: string; end: string; buckets: number },
  signal: AbortSignal,
): Promise<HistogramAnswer> {
  return get("/logs/histogram", request, histogramAnswer, signal);
}

export function parseQuery(query: string, signal: AbortSignal): Promise<ParseAnswer> {
  return get("/logs/parse", { query }, parseAnswer, signal);
}
