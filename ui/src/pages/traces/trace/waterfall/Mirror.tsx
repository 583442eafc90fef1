import { memo } from "react";
import { formatNanos } from "../../../../lib/time/nanosText";
import { foldLabel } from "../../../../lib/trace/tree";
import { errorStatus, kindNames, nameOf, serviceOf } from "../../../../lib/trace/view";
import type { OpenTrace } from "../useTrace";
import { notesOf } from "./notes";
import type { LinesHandle } from "./useLines";
import styles from "./Waterfall.module.css";

interface MirrorProps {
  trace: OpenTrace;
  handle: LinesHandle;
  first: number;
  last: number;
  selectedRow: number;
}

/** What the canvas shows, as rows that assistive technology can read. */
export const Mirror = memo(function Mirror({ trace, handle, first, last, selectedRow }: MirrorProps) {
  const { view, tree } = trace;
  const { lines, folds } = handle;
  const shown = Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => first + at);
  return (
    <div role="rowgroup" className={styles.mirror}>
      {shown.map((line) => {
        const row = lines.row[line] ?? 0;
        const { startNs, durationNs, depth, kind, status } = view.spans;
        const fold = lines.isFold[line] === 1 ? folds.get(row) : undefined;
        const open = handle.isOpen(line);
        const duration = fold ? fold.endNs - fold.startNs : (durationNs[row] ?? 0);
        return (
          <div
            key={line}
            id={`line-${line}`}
            role="row"
            aria-rowindex={line + 1}
            aria-level={(depth[row] ?? 0) + 1}
            aria-expanded={open ?? undefined}
            aria-selected={!fold && row === selectedRow}
          >
            <span role="gridcell">
              {fold ? foldLabel(nameOf(view, row), fold.rows.length) : nameOf(view, row)}
            </span>{" "}
            <span role="gridcell">
              {serviceOf(view, row)}
              {!fold && `, ${kindNames[kind[row] ?? 0]}`}
              {notesOf(trace, handle, line).map((note) => `, ${note}`)}
            </span>{" "}
            <span role="gridcell">starts at {formatNanos(startNs[row] ?? 0)}</span>{" "}
            <span role="gridcell">{formatNanos(duration)}</span>{" "}
            <span role="gridcell">
              {(tree.pathNs[row] ?? 0) > 0 && !fold
                ? `${formatNanos(tree.pathNs[row] ?? 0)} on the critical path`
                : ""}
              {status[row] === errorStatus && !fold ? " error" : ""}
            </span>
          </div>
        );
      })}
    </div>
  );
});
