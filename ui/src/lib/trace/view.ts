// A trace as columns: one entry per span, in drawing order (a span, then its children by their start).

export interface Spans {
  count: number;
  /** 16 hex digits. */
  id: string[];
  /** Row of the caller; -1: none here. */
  parent: Int32Array;
  depth: Int32Array;
  /** Into `services`, `names` and `hosts`; a host may be -1. */
  service: Int32Array;
  name: Int32Array;
  host: Int32Array;
  /** OTLP's numbers: 0 to 5, 0 to 2. */
  kind: Uint8Array;
  status: Uint8Array;
  /** From the start of the trace. */
  startNs: Float64Array;
  durationNs: Float64Array;
  /** Without the time of the children. */
  selfNs: Float64Array;
  events: Int32Array;
  /** Nobody waits for it. */
  isAsync: Uint8Array;
  /** Its caller has an id, but is not here. */
  isOrphan: Uint8Array;
}

/** A stretch of time in which the trace waited for this span itself. */
export interface Section {
  row: number;
  fromNs: number;
  toNs: number;
}

export interface ServiceShare {
  service: string;
  ns: number;
}

export interface TraceView {
  traceId: string;
  /** RFC 3339 with nanoseconds. */
  start: string;
  durationNs: number;
  partial: boolean;
  warnings: string[];
  services: string[];
  names: string[];
  hosts: string[];
  spans: Spans;
  /** By time, without overlap. */
  path: Section[];
  /** The largest share first. */
  pathByService: ServiceShare[];
}

export const kindNames = ["unspecified", "internal", "server", "client", "producer", "consumer"] as const;
export const errorStatus = 2;

export function serviceOf(view: TraceView, row: number): string {
  return view.services[view.spans.service[row] ?? -1] ?? "";
}

export function nameOf(view: TraceView, row: number): string {
  return view.names[view.spans.name[row] ?? -1] ?? "";
}

export function hostOf(view: TraceView, row: number): string | null {
  return view.hosts[view.spans.host[row] ?? -1] ?? null;
}

/** Service and operation in one number, to compare spans by. */
export function operationKey(view: TraceView, row: number): number {
  return (view.spans.service[row] ?? 0) * view.names.length + (view.spans.name[row] ?? 0);
}

/** The span that the page is named after: the first that has no caller, else the first at all. */
export function rootRow(view: TraceView): number {
  const { parent, isOrphan, count } = view.spans;
  for (let row = 0; row < count; row += 1) if (parent[row] === -1 && isOrphan[row] === 0) return row;
  return 0;
}
