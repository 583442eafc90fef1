import { isSeverity, type Severity } from "../lib/severity";
import { get } from "./http";
import {
  array,
  boolean,
  type Check,
  json,
  nullable,
  number,
  object,
  oneOf,
  ShapeError,
  string,
} from "./validate";

export interface ValueCount {
  value: string;
  count: number;
}

export interface PatternParameter {
  /** Which placeholder of the template, from the left. */
  slot: number;
  kind: "num" | "hex" | "ip" | "uuid" | "text";
  distinct: number;
  distinct_is_capped: boolean;
  min: number | null;
  max: number | null;
  top: ValueCount[];
}

export interface PatternExample {
  id: string;
  body: string;
}

export interface Pattern {
  /** 16 hexadecimal digits; stable. */
  id: string;
  /** Literal text with the placeholders `<num>`, `<hex>`, `<ip>`, `<uuid>` and `<*>`. */
  template: string;
  count: number;
  /** Of the records that matched, 0 to 1. */
  share: number;
  severities: Partial<Record<Severity, number>>;
  counts: number[];
  /** Over everything that is stored, not only the range. */
  first_seen: string;
  last_seen: string;
  is_new: boolean;
  services: ValueCount[];
  examples: PatternExample[];
  parameters: PatternParameter[];
}

export interface PatternsAnswer {
  patterns: Pattern[];
  /** How many there are, with those that are not listed. */
  total: number;
  matched: number;
  without_pattern: number;
  start: string;
  bucket_ms: number;
  buckets: number;
  partial: boolean;
  warnings: string[];
  took_ms: number;
}

const bySeverity: Check<Partial<Record<Severity, number>>> = (value, path) => {
  if (typeof value !== "object" || value === null) throw new ShapeError(path, "an object");
  const counts = Object.entries(value).filter(([name]) => isSeverity(name));
  return Object.fromEntries(counts.map(([name, count]) => [name, number(count, `${path}.${name}`)]));
};

/** Values are JSON; what they are is told by the parameter's kind, and the page shows text. */
const text: Check<string> = (value, path) => {
  const known = json(value, path);
  return typeof known === "string" ? known : JSON.stringify(known);
};
export const valueCount = object<ValueCount>({ value: text, count: number });

const parameter = object<PatternParameter>({
  slot: number,
  kind: oneOf("num", "hex", "ip", "uuid", "text"),
  distinct: number,
  distinct_is_capped: boolean,
  min: nullable(number),
  max: nullable(number),
  top: array(valueCount),
});
const pattern = object<Pattern>({
  id: string,
  template: string,
  count: number,
  share: number,
  severities: bySeverity,
  counts: array(number),
  first_seen: string,
  last_seen: string,
  is_new: boolean,
  services: array(valueCount),
  examples: array(object<PatternExample>({ id: string, body: string })),
  parameters: array(parameter),
});
const patternsAnswer = object<PatternsAnswer>({
  patterns: array(pattern),
  total: number,
  matched: number,
  without_pattern: number,
  start: string,
  bucket_ms: number,
  buckets: number,
  partial: boolean,
  warnings: array(string),
  took_ms: number,
});

export interface PatternsRequest {
  query: string;
  start: string;
  end: string;
  limit: number;
  buckets: number;
}

export function fetchPatterns(request: PatternsRequest, signal: AbortSignal): Promise<PatternsAnswer> {
  return get("/logs/patterns", { ...request }, patternsAnswer, signal);
}
