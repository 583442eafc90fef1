// Traces for the tests beside this file, written as lines: depth, "service operation", from, to.
import type { Section, TraceView } from "./view";

export interface Marks {
  error?: boolean;
  async?: boolean;
  orphan?: boolean;
  host?: string;
}

export type Written = [depth: number, what: string, fromNs: number, toNs: number, marks?: Marks];

export function traceOf(written: Written[], path: [row: number, from: number, to: number][] = []): TraceView {
  const [services, names, hosts]: [string[], string[], string[]] = [[], [], []];
  const placeOf = (list: string[], text: string) => {
    if (!list.includes(text)) list.push(text);
    return list.indexOf(text);
  };
  const open: number[] = [];
  const parent = written.map(([depth], row) => {
    open.length = depth;
    const above = open.at(-1) ?? -1;
    open.push(row);
    return above;
  });
  const split = written.map(([, what]) => {
    const [service = "", ...rest] = what.split(" ");
    return { service: placeOf(services, service), name: placeOf(names, rest.join(" ")) };
  });
  const selfNs = written.map(([, , from, to], row) => {
    const below = written.filter((_, other) => parent[other] === row);
    return Math.max(0, to - from - below.reduce((sum, [, , start, end]) => sum + end - start, 0));
  });
  const byService = new Map<string, number>();
  const sections = path.map(([row, fromNs, toNs]): Section => {
    const service = services[split[row]?.service ?? 0] ?? "";
    byService.set(service, (byService.get(service) ?? 0) + toNs - fromNs);
    return { row, fromNs, toNs };
  });
  return {
    traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
    start: "2026-11-25T10:14:07.000000000Z",
    durationNs: Math.max(0, ...written.map(([, , , to]) => to)),
    partial: false,
    warnings: [],
    services,
    names,
    hosts,
    spans: {
      count: written.length,
      id: written.map((_, row) => (row + 1).toString(16).padStart(16, "0")),
      parent: Int32Array.from(parent),
      depth: Int32Array.from(written.map(([depth]) => depth)),
      service: Int32Array.from(split.map(({ service }) => service)),
      name: Int32Array.from(split.map(({ name }) => name)),
      host: Int32Array.from(
        written.map(([, , , , marks]) => (marks?.host ? placeOf(hosts, marks.host) : -1)),
      ),
      kind: new Uint8Array(written.length).fill(1),
      status: Uint8Array.from(written.map(([, , , , marks]) => (marks?.error ? 2 : 0))),
      startNs: Float64Array.from(written.map(([, , from]) => from)),
      durationNs: Float64Array.from(written.map(([, , from, to]) => to - from)),
      selfNs: Float64Array.from(selfNs),
      events: new Int32Array(written.length),
      isAsync: Uint8Array.from(written.map(([, , , , marks]) => (marks?.async ? 1 : 0))),
      isOrphan: Uint8Array.from(written.map(([, , , , marks]) => (marks?.orphan ? 1 : 0))),
    },
    path: sections,
    pathByService: [...byService].map(([service, ns]) => ({ service, ns })).sort((a, b) => b.ns - a.ns),
  };
}

/** A caller that asks its database so many times, and then renders. */
export function queriesOf(count: number): TraceView {
  const written: Written[] = [[0, "edge GET /", 0, count * 10 + 30]];
  const path: [number, number, number][] = [[0, 0, 5]];
  for (let at = 0; at < count; at += 1) {
    written.push([1, "db SELECT items", 5 + at * 10, 14 + at * 10]);
    path.push([at + 1, 5 + at * 10, 14 + at * 10], [0, 14 + at * 10, 15 + at * 10]);
  }
  written.push([1, "edge render", count * 10 + 6, count * 10 + 20]);
  path.push([count + 1, count * 10 + 6, count * 10 + 20], [0, count * 10 + 20, count * 10 + 30]);
  return traceOf(written, path);
}
