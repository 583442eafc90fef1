import { cssColour } from "../../../../lib/chart/colours";
import { plural } from "../../../../lib/number";
import { formatNanos, formatPercent } from "../../../../lib/time/nanosText";
import { errorStatus, hostOf, kindNames, nameOf, serviceOf } from "../../../../lib/trace/view";
import type { OpenTrace } from "../useTrace";
import { notesOf } from "./notes";
import type { LinesHandle } from "./useLines";
import styles from "./Waterfall.module.css";

interface SpanTooltipProps {
  trace: OpenTrace;
  handle: LinesHandle;
  line: number;
  x: number;
  y: number;
  width: number;
  height: number;
}

const widthPx = 260;

/** The numbers of the span under the pointer. */
export function SpanTooltip({ trace, handle, line, x, y, width, height }: SpanTooltipProps) {
  const { view, tree, colours } = trace;
  const row = handle.lines.row[line] ?? 0;
  const { startNs, durationNs, selfNs, kind, status, events } = view.spans;
  const fold = handle.lines.isFold[line] === 1 ? handle.folds.get(row) : undefined;
  const host = hostOf(view, row);
  const onPath = fold
    ? fold.rows.reduce((sum, one) => sum + (tree.pathNs[one] ?? 0), 0)
    : (tree.pathNs[row] ?? 0);
  const facts: [string, string][] = fold
    ? [
        ["Calls", String(fold.rows.length)],
        ["From first to last", formatNanos(fold.endNs - fold.startNs)],
        ["Sum of durations", formatNanos(fold.rows.reduce((sum, one) => sum + (durationNs[one] ?? 0), 0))],
      ]
    : [
        ["Starts at", formatNanos(startNs[row] ?? 0)],
        ["Duration", formatNanos(durationNs[row] ?? 0)],
        ["Self", formatNanos(selfNs[row] ?? 0)],
      ];
  const share = view.durationNs > 0 ? onPath / view.durationNs : 0;
  facts.push(["On the path", onPath > 0 ? `${formatNanos(onPath)}, ${formatPercent(share)}` : "–"]);
  const notes = [
    ...(fold ? [] : [kindNames[kind[row] ?? 0] ?? ""]),
    ...notesOf(trace, handle, line),
    ...(!fold && (events[row] ?? 0) > 0 ? [plural(events[row] ?? 0, "event")] : []),
  ];
  const left = Math.min(x + 14, Math.max(0, width - widthPx - 8));
  const below = y + 18 + 132 < height;
  return (
    <div
      className={`${styles.tooltip} floating`}
      style={{ left, width: widthPx, ...(below ? { top: y + 18 } : { bottom: height - y + 12 }) }}
      aria-hidden="true"
    >
      <div className={styles.tipTitle}>
        <span
          className="swatch"
          style={{ background: cssColour(colours[view.spans.service[row] ?? 0] ?? 9) }}
        />
        <span className="text1">{nameOf(view, row)}</span>
      </div>
      <div>
        {serviceOf(view, row)}
        {host !== null && ` on ${host}`}
        {notes.length > 0 && <span className="text3"> {notes.join(", ")}</span>}
      </div>
      {!fold && status[row] === errorStatus && <div className={styles.tipError}>This span failed.</div>}
      <dl className={`${styles.facts} tabular`}>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
