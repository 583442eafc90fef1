// Which lines a waterfall shows, and where the path runs through them.
import type { Fold, Tree } from "./tree";
import type { TraceView } from "./view";

export interface LinesState {
  /** Rows whose subtree is hidden. */
  collapsed: ReadonlySet<number>;
  /** First rows of folds that are open. */
  unfolded: ReadonlySet<number>;
  /** Null: all rows. */
  keep: Uint8Array | null;
}

export interface Lines {
  count: number;
  /** The span of each line; of a fold its first. */
  row: Int32Array;
  isFold: Uint8Array;
  /** On which line each row is to be found, itself or what hides it; -1: on none. */
  lineOf: Int32Array;
}

export function linesOf(view: TraceView, tree: Tree, folds: Map<number, Fold>, state: LinesState): Lines {
  const { count } = view.spans;
  const { collapsed, unfolded, keep } = state;
  // A fold that is open has a line beside those of its rows.
  const row = new Int32Array(count + folds.size);
  const isFold = new Uint8Array(count + folds.size);
  const lineOf = new Int32Array(count).fill(-1);
  let lines = 0;
  for (let at = 0; at < count; ) {
    if (keep && keep[at] === 0) {
      at = tree.end[at] ?? count;
      continue;
    }
    const fold = folds.get(at);
    if (fold) {
      row[lines] = at;
      isFold[lines] = 1;
      lines += 1;
      if (!unfolded.has(at)) {
        lineOf.fill(lines - 1, at, fold.end);
        at = fold.end;
        continue;
      }
    }
    row[lines] = at;
    lines += 1;
    const to = collapsed.has(at) ? (tree.end[at] ?? count) : at + 1;
    lineOf.fill(lines - 1, at, to);
    at = to;
  }
  return { count: lines, row: row.subarray(0, lines), isFold: isFold.subarray(0, lines), lineOf };
}

/** Opens whatever hides a row. */
export function revealed(view: TraceView, folds: Map<number, Fold>, state: LinesState, target: number) {
  const collapsed = new Set(state.collapsed);
  for (let row = view.spans.parent[target] ?? -1; row >= 0; row = view.spans.parent[row] ?? -1)
    collapsed.delete(row);
  const unfolded = new Set(state.unfolded);
  for (const [first, fold] of folds) if (first <= target && target < fold.end) unfolded.add(first);
  return { collapsed, unfolded };
}

/** The path as it runs over the lines: one piece per stay on a line, by time. */
export interface Thread {
  count: number;
  line: Int32Array;
  fromNs: Float64Array;
  toNs: Float64Array;
  /** The pieces of each line: `order[first[line]]` to `order[first[line + 1] - 1]`. */
  first: Int32Array;
  order: Int32Array;
}

export function threadOf(view: TraceView, lines: Lines): Thread {
  const most = view.path.length;
  const line = new Int32Array(most);
  const fromNs = new Float64Array(most);
  const toNs = new Float64Array(most);
  let count = 0;
  for (const section of view.path) {
    const on = lines.lineOf[section.row] ?? -1;
    if (on < 0 || section.toNs <= section.fromNs) continue;
    // Two stays side by side on one line are one: what hides the spans between them is what is seen.
    if (count > 0 && line[count - 1] === on && section.fromNs <= (toNs[count - 1] ?? 0) + 1) {
      toNs[count - 1] = section.toNs;
      continue;
    }
    line[count] = on;
    fromNs[count] = section.fromNs;
    toNs[count] = section.toNs;
    count += 1;
  }
  const first = new Int32Array(lines.count + 1);
  for (let at = 0; at < count; at += 1) first[(line[at] ?? 0) + 1] = (first[(line[at] ?? 0) + 1] ?? 0) + 1;
  for (let at = 0; at < lines.count; at += 1) first[at + 1] = (first[at + 1] ?? 0) + (first[at] ?? 0);
  const next = first.slice();
  const order = new Int32Array(count);
  for (let at = 0; at < count; at += 1) {
    const on = line[at] ?? 0;
    order[next[on] ?? 0] = at;
    next[on] = (next[on] ?? 0) + 1;
  }
  return { count, line, fromNs, toNs, first, order };
}

export interface Stay {
  line: number;
  fromNs: number;
  toNs: number;
}

/**
 * The stays within a window that are long enough to be followed. Short ones between two on the same line vanish; of a
 * run of short ones that together are long enough, the longest stands for them.
 */
export function staysOf(thread: Thread, fromNs: number, toNs: number, leastNs: number): Stay[] {
  const stays: Stay[] = [];
  const add = (stay: Stay) => {
    const last = stays.at(-1);
    if (last && last.line === stay.line) last.toNs = stay.toNs;
    // What was too short in between is given to the one that follows, so that the line has no slant.
    else stays.push(last ? { ...stay, fromNs: last.toNs } : stay);
  };
  let short: Stay | null = null;
  let shortFrom = 0;
  for (let at = 0; at < thread.count; at += 1) {
    const stay = { line: thread.line[at] ?? 0, fromNs: thread.fromNs[at] ?? 0, toNs: thread.toNs[at] ?? 0 };
    if (stay.toNs < fromNs) continue;
    if (stay.fromNs > toNs) break;
    if (stay.toNs - stay.fromNs >= leastNs) {
      short = null;
      add(stay);
      continue;
    }
    if (short === null) shortFrom = stay.fromNs;
    if (short === null || stay.toNs - stay.fromNs > short.toNs - short.fromNs) short = stay;
    if (stay.toNs - shortFrom < leastNs) continue;
    add({ ...short, fromNs: shortFrom, toNs: stay.toNs });
    short = null;
  }
  return stays;
}
