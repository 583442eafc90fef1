import { useMemo, useState } from "react";
import { linesOf, revealed, threadOf } from "../../../../lib/trace/lines";
import { closedAtFirst, type Fold, foldsOf, hasChildren } from "../../../../lib/trace/tree";
import type { OpenTrace } from "../useTrace";

export type LinesHandle = ReturnType<typeof useLines>;

/** Which lines there are, and what opens and closes them. */
export function useLines({ view, tree }: OpenTrace, pathOnly: boolean) {
  const [collapsed, setCollapsed] = useState<ReadonlySet<number>>(() => closedAtFirst(view, tree));
  const [unfolded, setUnfolded] = useState<ReadonlySet<number>>(new Set());
  const keep = pathOnly ? tree.holdsPath : null;
  const folds = useMemo(() => foldsOf(view, tree, keep), [view, tree, keep]);
  const lines = useMemo(
    () => linesOf(view, tree, folds, { collapsed, unfolded, keep }),
    [view, tree, folds, collapsed, unfolded, keep],
  );
  const thread = useMemo(() => threadOf(view, lines), [view, lines]);

  const isOpen = (line: number): boolean | null => {
    const row = lines.row[line] ?? 0;
    if (lines.isFold[line] === 1) return unfolded.has(row);
    return hasChildren(tree, row) ? !collapsed.has(row) : null;
  };
  const setOpen = (line: number, open: boolean) => {
    const row = lines.row[line] ?? 0;
    const change = (set: ReadonlySet<number>, present: boolean) => {
      const next = new Set(set);
      if (present) next.add(row);
      else next.delete(row);
      return next;
    };
    if (lines.isFold[line] === 1) setUnfolded((set) => change(set, open));
    else if (hasChildren(tree, row)) setCollapsed((set) => change(set, !open));
  };
  /** The line that a closed one hides under, or the fold it stands in; -1 for a root. */
  const lineAbove = (line: number): number => {
    const row = lines.row[line] ?? 0;
    if (lines.isFold[line] === 0) {
      const fold = foldAround(folds, view.spans.parent, row);
      if (fold !== null && unfolded.has(fold)) {
        const at = lines.row.indexOf(fold);
        if (at >= 0 && lines.isFold[at] === 1) return at;
      }
    }
    const above = view.spans.parent[row] ?? -1;
    return above < 0 ? -1 : (lines.lineOf[above] ?? -1);
  };
  const reveal = (row: number) => {
    const next = revealed(view, folds, { collapsed, unfolded, keep }, row);
    setCollapsed(next.collapsed);
    setUnfolded(next.unfolded);
  };
  const openAll = () => {
    setCollapsed(new Set());
    setUnfolded(new Set(folds.keys()));
  };
  const closeAll = () => {
    const { count, depth } = view.spans;
    const closed = new Set<number>();
    for (let row = 0; row < count; row += 1)
      if ((depth[row] ?? 0) >= 1 && hasChildren(tree, row)) closed.add(row);
    setCollapsed(closed);
    setUnfolded(new Set());
  };
  const depthOf = (row: number) => view.spans.depth[row] ?? 0;
  return {
    lines,
    thread,
    folds,
    collapsed,
    unfolded,
    isOpen,
    setOpen,
    lineAbove,
    depthOf,
    reveal,
    openAll,
    closeAll,
  };
}

/** The fold of which this row is one of the calls. */
function foldAround(folds: Map<number, Fold>, parent: Int32Array, row: number): number | null {
  for (const [first, fold] of folds)
    if (first <= row && row < fold.end && parent[first] === parent[row]) return first;
  return null;
}
