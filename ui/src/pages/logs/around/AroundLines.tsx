import { useVirtualizer } from "@tanstack/react-virtual";
import { useLayoutEffect, useRef } from "react";
import type { LogRecord } from "../../../api/logs";
import { usePhone } from "../../../components/usePhone";
import { oneLine } from "../../../lib/json";
import { markRanges, type Term } from "../../../lib/query/terms";
import { severityOf, severityRole } from "../../../lib/severity";
import { formatClockMs } from "../../../lib/time/format";
import { nanosOf } from "../../../lib/time/nanos";
import type { Zone } from "../../../lib/time/zone";
import { sizes } from "../../../theme/tokens";
import { useRecordActions } from "../RecordActions";
import { Marked } from "../Row";
import styles from "./Around.module.css";
import { offsetText } from "./offset";
import type { Around } from "./useAround";

type Side = "before" | "after";

interface AroundLinesProps {
  around: Around;
  record: LogRecord;
  zone: Zone;
  terms: Term[];
  loading: Side | null;
  failed: Side | null;
  onBefore: () => void;
  onAfter: () => void;
}

const visibleLines = 15;

/** The run of lines with the record in its middle, each with its distance in time; more come at either end. */
export function AroundLines(props: AroundLinesProps) {
  const { around, record, zone, terms, loading, failed, onBefore, onAfter } = props;
  const { lines } = around;
  const scroller = useRef<HTMLDivElement>(null);
  const linePx = usePhone() ? sizes.logRowPhonePx : sizes.logRowPx;
  const virtualizer = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => linePx,
    getItemKey: (line) => lines[line]?.id ?? line,
    overscan: 10,
  });
  const at = lines.findIndex(({ id }) => id === record.id);
  const nanos = nanosOf(record.timestamp) ?? 0n;

  // The record stays where it is on the screen while lines come in above it; at first it is in the middle.
  const placed = useRef<number | null>(null);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element || placed.current === at) return;
    if (placed.current === null) element.scrollTop = (at + 0.5) * linePx - element.clientHeight / 2;
    else element.scrollTop += (at - placed.current) * linePx;
    placed.current = at;
  }, [at, linePx]);
  return (
    <div className={styles.run}>
      <End side="before" more={around.moreBefore} loading={loading} failed={failed} onMore={onBefore} />
      <div
        ref={scroller}
        className={styles.scroller}
        style={{ height: Math.min(lines.length, visibleLines) * linePx }}
        role="list"
        tabIndex={0}
        aria-label="Lines around the record"
      >
        <div className={styles.lines} style={{ height: virtualizer.getTotalSize() }} role="presentation">
          {virtualizer.getVirtualItems().map(({ key, index, start }) => {
            const line = lines[index];
            return (
              line && (
                <Line
                  key={key}
                  line={line}
                  own={line.id === record.id}
                  offset={offsetText((nanosOf(line.timestamp) ?? nanos) - nanos)}
                  top={start}
                  zone={zone}
                  terms={terms}
                />
              )
            );
          })}
        </div>
      </div>
      <End side="after" more={around.moreAfter} loading={loading} failed={failed} onMore={onAfter} />
    </div>
  );
}

interface LineProps {
  line: LogRecord;
  own: boolean;
  offset: string;
  top: number;
  zone: Zone;
  terms: Term[];
}

function Line({ line, own, offset, top, zone, terms }: LineProps) {
  const actions = useRecordActions();
  const severity = severityOf(line.severity_number);
  const body = line.body === null ? (line.event_name ?? "–") : oneLine(line.body);
  const from = [line.service, line.host].filter((name) => name !== null).join(" ");
  const content = (
    <>
      <span
        className={styles.tick}
        style={{ background: `var(--${severityRole[severity]})` }}
        aria-hidden="true"
      />
      <span className={styles.time}>{formatClockMs(Date.parse(line.timestamp), zone)}</span>
      <span className={styles.offset}>{own ? "this" : offset}</span>
      <span className={styles.severity}>{severity === "unset" ? "–" : severity}</span>
      <span className={styles.from} title={from}>
        {from || "–"}
      </span>
      <span className={styles.body}>
        <Marked text={body} ranges={markRanges(body, terms)} />
      </span>
    </>
  );
  const shape = {
    className: `${styles.line} mono`,
    "data-severity": severity,
    "data-own": own,
  };
  return (
    <div
      role="listitem"
      aria-current={own ? "true" : undefined}
      className={styles.item}
      style={{ transform: `translateY(${top}px)` }}
    >
      {own || !actions ? (
        <div {...shape}>{content}</div>
      ) : (
        <button
          type="button"
          {...shape}
          title="Show this record in the list"
          // What fails here is a list that does not change; the button "Show in the list" says why.
          onClick={() => void actions.showInList(line).catch(() => {})}
        >
          {content}
        </button>
      )}
    </div>
  );
}

interface EndProps {
  side: Side;
  more: boolean;
  loading: Side | null;
  failed: Side | null;
  onMore: () => void;
}

function End({ side, more, loading, failed, onMore }: EndProps) {
  const words = side === "before" ? "older" : "newer";
  if (!more)
    return <p className={styles.end}>{side === "before" ? "The first line." : "The last line so far."}</p>;
  return (
    <button type="button" className={styles.more} disabled={loading !== null} onClick={onMore}>
      {loading === side
        ? `Reading ${words} lines`
        : failed === side
          ? `The ${words} lines did not come. Try again`
          : `50 ${words} lines`}
    </button>
  );
}
