import type { OpenTrace } from "../useTrace";
import type { LinesHandle } from "./useLines";

/** What is hidden below a line and what is odd about its span: "4 spans", "async", "parent missing". */
export function notesOf(
  { view, tree }: Pick<OpenTrace, "view" | "tree">,
  { lines, collapsed }: Pick<LinesHandle, "lines" | "collapsed">,
  line: number,
): string[] {
  if (lines.isFold[line] === 1) return [];
  const row = lines.row[line] ?? 0;
  const spans = (tree.end[row] ?? 0) - row;
  return [
    ...(collapsed.has(row) && spans > 1 ? [`${spans} spans`] : []),
    ...(view.spans.isAsync[row] === 1 ? ["async"] : []),
    ...(view.spans.isOrphan[row] === 1 ? ["parent missing"] : []),
  ];
}
