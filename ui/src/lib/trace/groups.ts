// The spans of a trace summed up: by operation for a table, by the way of calls for a flame graph.
import type { Tree } from "./tree";
import { errorStatus, operationKey, type TraceView } from "./view";

export interface Group {
  service: string;
  name: string;
  count: number;
  totalNs: number;
  selfNs: number;
  pathNs: number;
  errors: number;
  longestRow: number;
}

export type GroupKey = "operation" | "count" | "total" | "self" | "path" | "errors";
export const groupKeys: GroupKey[] = ["operation", "count", "total", "self", "path", "errors"];

export function groupsOf(view: TraceView, tree: Tree): Group[] {
  const groups = new Map<number, Group>();
  const { count, service, name, durationNs, selfNs, status } = view.spans;
  for (let row = 0; row < count; row += 1) {
    const key = operationKey(view, row);
    let group = groups.get(key);
    if (!group) {
      group = {
        service: view.services[service[row] ?? 0] ?? "",
        name: view.names[name[row] ?? 0] ?? "",
        count: 0,
        totalNs: 0,
        selfNs: 0,
        pathNs: 0,
        errors: 0,
        longestRow: row,
      };
      groups.set(key, group);
    }
    group.count += 1;
    group.totalNs += durationNs[row] ?? 0;
    group.selfNs += selfNs[row] ?? 0;
    group.pathNs += tree.pathNs[row] ?? 0;
    if (status[row] === errorStatus) group.errors += 1;
    if ((durationNs[row] ?? 0) > (durationNs[group.longestRow] ?? 0)) group.longestRow = row;
  }
  return [...groups.values()];
}

/** Names begin with A, numbers with the highest, unless reversed. */
export function sortGroups(groups: Group[], key: GroupKey, reverse: boolean): Group[] {
  const value: Record<Exclude<GroupKey, "operation">, (group: Group) => number> = {
    count: (group) => group.count,
    total: (group) => group.totalNs,
    self: (group) => group.selfNs,
    path: (group) => group.pathNs,
    errors: (group) => group.errors,
  };
  const byName = (a: Group, b: Group) => a.service.localeCompare(b.service) || a.name.localeCompare(b.name);
  const sorted = [...groups].sort((a, b) =>
    key === "operation" ? byName(a, b) : value[key](b) - value[key](a) || byName(a, b),
  );
  return reverse ? sorted.reverse() : sorted;
}

/** Spans that were called by the same way of operations. */
export interface Frame {
  /** -1: above the roots. */
  parent: number;
  depth: number;
  service: string;
  name: string;
  count: number;
  /** Its own work and that of all below it, summed over its spans. */
  totalNs: number;
  selfNs: number;
  pathNs: number;
  errors: number;
  longestRow: number;
  /** Indexes of frames, the largest first. */
  children: number[];
}

/**
 * Widths are work, not wall time: what ran at the same time is added up, so that the frames above another never
 * stick out of it. Callers stand before their callees.
 */
export function framesOf(view: TraceView, tree: Tree): { frames: Frame[]; frameOf: Int32Array } {
  const { count, parent, service, name, selfNs, durationNs, status } = view.spans;
  const top = frame(-1, -1, "", "", 0);
  const frames: Frame[] = [top];
  const frameOf = new Int32Array(count);
  const known = new Map<string, number>();
  for (let row = 0; row < count; row += 1) {
    const above = (parent[row] ?? -1) < 0 ? 0 : (frameOf[parent[row] ?? 0] ?? 0);
    const key = `${above} ${operationKey(view, row)}`;
    let at = known.get(key);
    if (at === undefined) {
      at = frames.length;
      known.set(key, at);
      const [of, called] = [view.services[service[row] ?? 0] ?? "", view.names[name[row] ?? 0] ?? ""];
      frames.push(frame(above, (frames[above]?.depth ?? -1) + 1, of, called, row));
      frames[above]?.children.push(at);
    }
    frameOf[row] = at;
    const one = frames[at];
    if (!one) continue;
    one.count += 1;
    one.selfNs += selfNs[row] ?? 0;
    one.pathNs += tree.pathNs[row] ?? 0;
    if (status[row] === errorStatus) one.errors += 1;
    if ((durationNs[row] ?? 0) > (durationNs[one.longestRow] ?? 0)) one.longestRow = row;
  }
  for (let at = frames.length - 1; at >= 0; at -= 1) {
    const one = frames[at];
    if (!one) continue;
    one.totalNs += one.selfNs;
    const above = frames[one.parent];
    if (above && at > 0) above.totalNs += one.totalNs;
  }
  for (const one of frames)
    one.children.sort((a, b) => (frames[b]?.totalNs ?? 0) - (frames[a]?.totalNs ?? 0) || a - b);
  return { frames, frameOf };
}

function frame(parent: number, depth: number, service: string, name: string, longestRow: number): Frame {
  return {
    parent,
    depth,
    service,
    name,
    count: 0,
    totalNs: 0,
    selfNs: 0,
    pathNs: 0,
    errors: 0,
    longestRow,
    children: [],
  };
}

export interface Placed {
  frame: number;
  /** 0 is the frame that is zoomed to; its callers stand above it, with negative levels. */
  level: number;
  /** 0 to 1. */
  from: number;
  to: number;
}

/** The frames that are wide enough to be seen when one of them takes the whole width. */
export function placeFrames(frames: Frame[], zoom: number, least: number): Placed[] {
  const placed: Placed[] = [];
  const callers: number[] = [];
  for (let at = frames[zoom]?.parent ?? -1; at > 0; at = frames[at]?.parent ?? -1) callers.push(at);
  callers.forEach((at, above) => {
    placed.push({ frame: at, level: -above - 1, from: 0, to: 1 });
  });
  const stack: Placed[] = [{ frame: zoom, level: 0, from: 0, to: 1 }];
  for (let one = stack.pop(); one; one = stack.pop()) {
    const of = frames[one.frame];
    if (!of) continue;
    // The one above the roots is nothing that was called.
    if (one.frame !== 0) placed.push(one);
    const whole = of.totalNs;
    if (whole <= 0) continue;
    let at = one.from;
    for (const child of of.children) {
      const width = ((frames[child]?.totalNs ?? 0) / whole) * (one.to - one.from);
      if (width < least) break;
      stack.push({ frame: child, level: one.level + (one.frame === 0 ? 0 : 1), from: at, to: at + width });
      at += width;
    }
  }
  return placed;
}
