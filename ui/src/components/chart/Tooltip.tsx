import { cssColour } from "../../lib/chart/colours";
import { clockOf, rowsAt } from "../../lib/chart/describe";
import type { Annotation, DrawnSeries } from "../../lib/chart/series";
import type { Zone } from "../../lib/time/zone";
import { formatValue } from "../../lib/units";
import styles from "./Chart.module.css";
import type { CursorAt } from "./plot";

interface TooltipProps {
  cursor: CursorAt;
  pinned: boolean;
  width: number;
  times: number[];
  series: DrawnSeries[];
  colours: (number | string)[];
  annotations: Annotation[];
  stepS: number;
  unit: string;
  decimals: number | undefined;
  zone: Zone;
}

const rowLimit = 10;

/** The values at the cursor, the highest first, and what happened then. A click keeps it. */
export function Tooltip(props: TooltipProps) {
  const { cursor, pinned, width, times, series, colours, annotations, stepS, unit, decimals, zone } = props;
  const time = times[cursor.at];
  if (time === undefined) return null;
  const { rows, more } = rowsAt(series, cursor.at, rowLimit);
  const events = annotations.filter(
    (event) => event.time <= (event.endTime ?? event.time) && isNear(event, time, stepS),
  );
  const side =
    cursor.left > width / 2 ? { right: `calc(100% - ${cursor.left - 12}px)` } : { left: cursor.left + 12 };
  return (
    <div className={`${styles.tooltip} floating`} style={side} aria-hidden="true">
      <div className="text1 tabular">
        {clockOf(times, zone)(time)}
        {pinned && <span className="text3"> kept, click to let go</span>}
      </div>
      {events.map((event) => (
        <div key={`${event.time} ${event.text}`} className={styles.event}>
          {event.text}
        </div>
      ))}
      {rows.map((row) => (
        <div key={row.series.label} className={styles.value}>
          <span
            className={styles.key}
            style={{ background: cssColour(colours[series.indexOf(row.series)] ?? 9) }}
          />
          <span className={styles.name}>{row.series.label}</span>
          <span className="text1 tabular">{formatValue(row.value, row.series.unit ?? unit, decimals)}</span>
        </div>
      ))}
      {more > 0 && <div className="text3">and {more} lower</div>}
      {rows.length === 0 && <div>no data</div>}
    </div>
  );
}

function isNear(event: Annotation, time: number, stepS: number): boolean {
  return time >= event.time - stepS && time <= (event.endTime ?? event.time) + stepS;
}
