// What a waterfall knows of each span beside what was sent: where its subtree ends, what of it is on the path.
import { errorStatus, operationKey, type TraceView } from "./view";

export interface Tree {
  /** The row behind the last one of the subtree. */
  end: Int32Array;
  /** For how long the trace waited for the span itself. */
  pathNs: Float64Array;
  /** Is the span, or one below it, on the path? */
  holdsPath: Uint8Array;
  /** Failed spans in the subtree, itself among them. */
  errors: Int32Array;
}

export function treeOf(view: TraceView): Tree {
  const { count, depth, parent, status } = view.spans;
  const end = new Int32Array(count);
  const open: number[] = [];
  for (let row = 0; row < count; row += 1) {
    while (open.length > 0 && (depth[open.at(-1) ?? 0] ?? 0) >= (depth[row] ?? 0)) end[open.pop() ?? 0] = row;
    open.push(row);
  }
  for (const row of open) end[row] = count;
  const pathNs = new Float64Array(count);
  for (const { row, fromNs, toNs } of view.path)
    pathNs[row] = (pathNs[row] ?? 0) + Math.max(0, toNs - fromNs);
  const holdsPath = new Uint8Array(count);
  const errors = new Int32Array(count);
  for (let row = count - 1; row >= 0; row -= 1) {
    if ((pathNs[row] ?? 0) > 0) holdsPath[row] = 1;
    if (status[row] === errorStatus) errors[row] = (errors[row] ?? 0) + 1;
    const above = parent[row] ?? -1;
    if (above < 0) continue;
    if (holdsPath[row] === 1) holdsPath[above] = 1;
    errors[above] = (errors[above] ?? 0) + (errors[row] ?? 0);
  }
  return { end, pathNs, holdsPath, errors };
}

export function hasChildren(tree: Tree, row: number): boolean {
  return (tree.end[row] ?? 0) > row + 1;
}

/** Calls that repeat behind the first ones, shown as one line. */
export interface Fold {
  /** Their rows, without what is below each. */
  rows: number[];
  /** The row behind the last of them and all below it. */
  end: number;
  startNs: number;
  endNs: number;
  errors: number;
}

/** So many of a run stay lines of their own. */
const shownCalls = 4;
/** Fewer are not worth a fold. */
const leastFolded = 3;

/** Runs of siblings with the same service and operation, by the first row that is folded. */
export function foldsOf(view: TraceView, tree: Tree, keep: Uint8Array | null): Map<number, Fold> {
  const folds = new Map<number, Fold>();
  const { count } = view.spans;
  const scan = (from: number, to: number) => {
    let run: number[] = [];
    const close = () => {
      if (run.length >= shownCalls + leastFolded) {
        const rows = run.slice(shownCalls);
        folds.set(rows[0] ?? 0, foldOf(view, tree, rows));
      }
      run = [];
    };
    for (let row = from; row < to; row = tree.end[row] ?? to) {
      if (keep && keep[row] === 0) continue;
      const first = run[0];
      if (first !== undefined && operationKey(view, first) !== operationKey(view, row)) close();
      run.push(row);
    }
    close();
  };
  scan(0, count);
  for (let row = 0; row < count; row += 1)
    if ((tree.end[row] ?? 0) > row + 1 + shownCalls) scan(row + 1, tree.end[row] ?? 0);
  return folds;
}

function foldOf(view: TraceView, tree: Tree, rows: number[]): Fold {
  const { startNs, durationNs } = view.spans;
  let from = Number.POSITIVE_INFINITY;
  let to = 0;
  let errors = 0;
  for (const row of rows) {
    from = Math.min(from, startNs[row] ?? 0);
    to = Math.max(to, (startNs[row] ?? 0) + (durationNs[row] ?? 0));
    errors += tree.errors[row] ?? 0;
  }
  return { rows, end: tree.end[rows.at(-1) ?? 0] ?? 0, startNs: from, endNs: to, errors };
}

/** "7 more SELECTs", "7 more: GET /products/{id}". */
export function foldLabel(name: string, count: number): string {
  const verb = /^(SELECT|INSERT|UPDATE|DELETE|GET|SET|HGET|POST|PUT|COMMIT|BEGIN)\b/.exec(name)?.[1];
  const route = / \//.test(name);
  return verb && !route ? `${count} more ${verb}s` : `${count} more: ${name}`;
}

/** Which of the calls of this operation below the same caller it is: "third of 11 calls". */
export function callOf(view: TraceView, tree: Tree, row: number): { at: number; of: number } {
  const above = view.spans.parent[row] ?? -1;
  const to = above < 0 ? view.spans.count : (tree.end[above] ?? 0);
  let at = 0;
  let of = 0;
  for (let other = above + 1; other < to; other = tree.end[other] ?? to) {
    if (operationKey(view, other) !== operationKey(view, row)) continue;
    of += 1;
    if (other <= row) at += 1;
  }
  return { at, of };
}

/** When the span did work of its own: its time without that of its children. */
export function selfIntervals(view: TraceView, tree: Tree, row: number): { fromNs: number; toNs: number }[] {
  const { startNs, durationNs } = view.spans;
  const from = startNs[row] ?? 0;
  const to = from + (durationNs[row] ?? 0);
  const found: { fromNs: number; toNs: number }[] = [];
  let at = from;
  for (
    let child = row + 1;
    child < (tree.end[row] ?? 0);
    child = tree.end[child] ?? Number.MAX_SAFE_INTEGER
  ) {
    if (view.spans.isAsync[child] === 1) continue;
    const start = Math.min(startNs[child] ?? 0, to);
    if (start > at) found.push({ fromNs: at, toNs: start });
    at = Math.max(at, (startNs[child] ?? 0) + (durationNs[child] ?? 0));
  }
  if (at < to) found.push({ fromNs: at, toNs: to });
  return found;
}

/** Where a large trace begins: what has nothing to do with the path and did not fail is closed. */
export function closedAtFirst(view: TraceView, tree: Tree): Set<number> {
  const closed = new Set<number>();
  if (view.spans.count <= openLimit || view.path.length === 0) return closed;
  for (let row = 0; row < view.spans.count; row += 1)
    if (hasChildren(tree, row) && tree.holdsPath[row] === 0 && tree.errors[row] === 0) {
      closed.add(row);
      row = (tree.end[row] ?? row + 1) - 1;
    }
  return closed;
}

const openLimit = 60;
