// Services as their spans tell of them: rate, errors and latency, and who calls whom.
import { get } from "./http";
import { array, boolean, type Check, nullable, number, object, oneOf, string } from "./validate";

export interface Numbers {
  /** Spans per second. */
  rate: number;
  /** A share, 0 to 1; null without calls. */
  errors: number | null;
  p50_ns: number | null;
  p95_ns: number | null;
  p99_ns: number | null;
}

/** Values over time, one per step. */
export interface Spark {
  start: string;
  step_s: number;
  rate: (number | null)[];
  errors: (number | null)[];
  p95_ns: (number | null)[];
}

export interface ServiceSummary extends Numbers {
  service: string;
  operations: number;
  /** Does it take calls or messages? If not, its numbers are those of its other spans. */
  entry: boolean;
  spark: Spark;
}

interface Notes {
  /** Up to when there are numbers; null without any. */
  until: string | null;
  warnings: string[];
}

export interface ServicesAnswer extends Notes {
  services: ServiceSummary[];
}

export type EdgeType = "service" | "database" | "messaging" | "external";

export interface Edge {
  client: string;
  server: string;
  type: EdgeType;
  rate: number;
  errors: number | null;
  /** As the caller waited, as the called worked, and what lies between. */
  client_p95_ns: number | null;
  server_p95_ns: number | null;
  gap_p95_ns: number | null;
}

export interface Operation extends Numbers {
  operation: string;
  kind: string;
  spark: Spark | null;
}

export interface Series {
  start: string;
  step_s: number;
  rate: (number | null)[];
  errors: (number | null)[];
  p50_ns: (number | null)[];
  p95_ns: (number | null)[];
  p99_ns: (number | null)[];
}

export interface ServiceAnswer extends Numbers, Notes {
  service: string;
  series: Series;
  operations: Operation[];
  upstream: Edge[];
  downstream: Edge[];
  hosts: string[];
}

/** Nothing is known of it: the collector has zeros for every name. */
export function isNothing({ rate, operations, upstream, downstream }: ServiceAnswer): boolean {
  return rate === 0 && operations.length + upstream.length + downstream.length === 0;
}

export interface MapNode {
  id: string;
  type: EdgeType;
  rate: number;
  errors: number | null;
  p95_ns: number | null;
}

export interface MapAnswer extends Notes {
  nodes: MapNode[];
  edges: Edge[];
}

const values = array(nullable(number));
const numbers = {
  rate: number,
  errors: nullable(number),
  p50_ns: nullable(number),
  p95_ns: nullable(number),
  p99_ns: nullable(number),
};
const notes = {
  until: nullable(string),
  warnings: ((value, path) => nullable(array(string))(value, path) ?? []) as Check<string[]>,
};
const spark = object<Spark>({ start: string, step_s: number, rate: values, errors: values, p95_ns: values });
const edgeType = oneOf<EdgeType>("service", "database", "messaging", "external");
const edge = object<Edge>({
  client: string,
  server: string,
  type: edgeType,
  rate: number,
  errors: nullable(number),
  client_p95_ns: nullable(number),
  server_p95_ns: nullable(number),
  gap_p95_ns: nullable(number),
});
const servicesAnswer = object<ServicesAnswer>({
  services: array(
    object<ServiceSummary>({
      ...numbers,
      service: string,
      operations: number,
      entry: (value, path) => nullable(boolean)(value, path) ?? true,
      spark,
    }),
  ),
  ...notes,
});
const serviceAnswer = object<ServiceAnswer>({
  ...numbers,
  ...notes,
  service: string,
  series: object<Series>({
    start: string,
    step_s: number,
    rate: values,
    errors: values,
    p50_ns: values,
    p95_ns: values,
    p99_ns: values,
  }),
  operations: array(
    object<Operation>({ ...numbers, operation: string, kind: string, spark: nullable(spark) }),
  ),
  upstream: array(edge),
  downstream: array(edge),
  hosts: array(string),
});
const mapAnswer = object<MapAnswer>({
  nodes: array(
    object<MapNode>({
      id: string,
      type: edgeType,
      rate: number,
      errors: nullable(number),
      p95_ns: nullable(number),
    }),
  ),
  edges: array(edge),
  ...notes,
});

interface Within {
  start: string;
  end: string;
}

export function fetchServices(within: Within, signal: AbortSignal): Promise<ServicesAnswer> {
  return get("/services", { ...within }, servicesAnswer, signal);
}

export function fetchService(service: string, within: Within, signal: AbortSignal): Promise<ServiceAnswer> {
  return get(`/services/${encodeURIComponent(service)}`, { ...within }, serviceAnswer, signal);
}

export function fetchServiceMap(within: Within, signal: AbortSignal): Promise<MapAnswer> {
  return get("/services/map", { ...within }, mapAnswer, signal);
}

const facetAnswer = object<{ fields: { field: string; values: FacetCount[] }[] }>({
  fields: array(
    object<{ field: string; values: FacetCount[] }>({
      field: string,
      values: array(object<FacetCount>({ value: string, count: number })),
    }),
  ),
});

export interface FacetCount {
  value: string;
  count: number;
}

/** Of the spans that a query finds, how many each service or host has sent, the most first. */
export async function fetchSpanCounts(
  by: "service" | "host",
  query: string,
  within: Within,
  signal: AbortSignal,
): Promise<FacetCount[]> {
  const params = { query, ...within, fields: by, limit: 50 };
  const { fields } = await get("/traces/facets", params, facetAnswer, signal);
  return fields.find(({ field }) => field === by)?.values ?? [];
}
