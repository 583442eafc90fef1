// The waterfall's columns: checked in one pass each, because there may be 100,000 spans in them.
import { kindNames, type Section, type ServiceShare, type Spans, type TraceView } from "../lib/trace/view";
import { array, boolean, type Check, number, object, ShapeError, string } from "./validate";

interface Sent {
  trace_id: string;
  start: string;
  duration_ns: number;
  partial: boolean;
  warnings: string[];
  services: string[];
  names: string[];
  hosts: string[];
  spans: Spans;
  critical_path: Section[];
  path_by_service: ServiceShare[];
}

export const traceView: Check<TraceView> = (value, path) => {
  const sent = object<Sent>({
    trace_id: string,
    start: string,
    duration_ns: number,
    partial: boolean,
    warnings: array(string),
    services: array(string),
    names: array(string),
    hosts: array(string),
    spans,
    critical_path: sections,
    path_by_service: array(object<ServiceShare>({ service: string, ns: number })),
  })(value, path);
  const { count, service, name, host } = sent.spans;
  within(service, 0, sent.services.length, `${path}.spans.service`);
  within(name, 0, sent.names.length, `${path}.spans.name`);
  within(host, -1, sent.hosts.length, `${path}.spans.host`);
  for (const section of sent.critical_path)
    if (!(section.row >= 0 && section.row < count))
      throw new ShapeError(`${path}.critical_path`, "of its spans");
  return {
    traceId: sent.trace_id,
    start: sent.start,
    durationNs: sent.duration_ns,
    partial: sent.partial,
    warnings: sent.warnings,
    services: sent.services,
    names: sent.names,
    hosts: sent.hosts,
    spans: sent.spans,
    path: sent.critical_path,
    pathByService: sent.path_by_service,
  };
};

const spans: Check<Spans> = (value, path) => {
  if (typeof value !== "object" || value === null) throw new ShapeError(path, "an object");
  const source = value as Record<string, unknown>;
  const id = source.id;
  if (!Array.isArray(id)) throw new ShapeError(`${path}.id`, "a list");
  const count = id.length;
  for (const one of id) if (typeof one !== "string") throw new ShapeError(`${path}.id`, "a list of texts");
  const numbers = (name: string): number[] => {
    const list = source[name];
    if (!Array.isArray(list) || list.length !== count)
      throw new ShapeError(`${path}.${name}`, `a list of ${count} numbers`);
    for (const one of list)
      if (typeof one !== "number") throw new ShapeError(`${path}.${name}`, "a list of numbers");
    return list;
  };
  const flags = (name: string): Uint8Array => {
    const marked = new Uint8Array(count);
    const rows = source[name] ?? [];
    if (!Array.isArray(rows)) throw new ShapeError(`${path}.${name}`, "a list");
    for (const row of rows) {
      if (!(Number.isInteger(row) && row >= 0 && row < count))
        throw new ShapeError(`${path}.${name}`, "a list of rows");
      marked[row] = 1;
    }
    return marked;
  };
  const parent = Int32Array.from(numbers("parent"));
  // A caller stands before its callees; a waterfall that goes round in a circle would never end.
  for (let row = 0; row < count; row += 1)
    if ((parent[row] ?? -1) >= row || (parent[row] ?? -1) < -1)
      throw new ShapeError(`${path}.parent`, "in order");
  const kind = Uint8Array.from(numbers("kind"));
  within(kind, 0, kindNames.length, `${path}.kind`);
  return {
    count,
    id: id as string[],
    parent,
    depth: Int32Array.from(numbers("depth")),
    service: Int32Array.from(numbers("service")),
    name: Int32Array.from(numbers("name")),
    host: Int32Array.from(numbers("host")),
    kind,
    status: Uint8Array.from(numbers("status")),
    startNs: Float64Array.from(numbers("start_ns")),
    durationNs: Float64Array.from(numbers("duration_ns")),
    selfNs: Float64Array.from(numbers("self_ns")),
    events: Int32Array.from(numbers("events")),
    isAsync: flags("async"),
    isOrphan: flags("orphan"),
  };
};

const sections: Check<Section[]> = (value, path) => {
  if (!Array.isArray(value)) throw new ShapeError(path, "a list");
  return value.map((one): Section => {
    if (!Array.isArray(one) || one.length < 3) throw new ShapeError(path, "a list of row, from and to");
    const [row, fromNs, toNs] = one;
    if (typeof row !== "number" || typeof fromNs !== "number" || typeof toNs !== "number")
      throw new ShapeError(path, "a list of numbers");
    return { row, fromNs, toNs };
  });
};

function within(list: Int32Array | Uint8Array, from: number, to: number, path: string): void {
  for (const one of list) if (one < from || one >= to) throw new ShapeError(path, "within its table");
}
