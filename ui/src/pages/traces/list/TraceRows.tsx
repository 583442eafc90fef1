import { Link } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef, useState } from "react";
import type { TraceSummary } from "../../../api/traces";
import { Icon } from "../../../components/Icon";
import { usePhone } from "../../../components/usePhone";
import { useShortcuts } from "../../../components/useShortcuts";
import { assignColours, cssColour } from "../../../lib/chart/colours";
import { formatExact, plural } from "../../../lib/number";
import { formatClockMs, formatDay, needsDays } from "../../../lib/time/format";
import { formatNanos } from "../../../lib/time/nanosText";
import type { Span } from "../../../lib/time/range";
import { zoneLabel } from "../../../lib/time/zone";
import type { TracesView } from "../url";
import styles from "./TraceRows.module.css";

interface TraceRowsProps {
  traces: TraceSummary[];
  view: TracesView;
  span: Span;
  stale: boolean;
  /** Null: these are all that may be asked for. */
  more: { limit: number; onMore: () => void } | null;
  onOpen: (traceId: string, spanId?: string) => void;
}

const rowPx = 48;
const rowPhonePx = 96;
const shownServices = 6;

/** One row per trace; `j` `k` move, Enter opens. */
export function TraceRows({ traces, view, span, stale, more, onOpen }: TraceRowsProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const phone = usePhone();
  const [activeId, setActiveId] = useState<string | null>(null);
  const activeAt = traces.findIndex(({ trace_id }) => trace_id === activeId);
  const height = phone ? rowPhonePx : rowPx;
  const list = useVirtualizer({
    count: traces.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: 8,
    scrollPaddingStart: 28,
  });
  const longest = traces.reduce((most, { duration_ns }) => Math.max(most, duration_ns), 1);
  const colours = useMemo(() => serviceColours(traces), [traces]);
  const withDay = needsDays(span, view.zone);
  const move = (by: 1 | -1) => {
    const next = Math.min(Math.max(activeAt + by, 0), traces.length - 1);
    setActiveId(traces[next]?.trace_id ?? null);
    list.scrollToIndex(next, { align: "auto" });
  };
  useShortcuts({
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    Enter: () => activeId !== null && activeAt >= 0 && onOpen(activeId),
  });
  const filtered = view.query.trim() !== "" && view.query.trim() !== "*";
  return (
    <div ref={scroller} className={styles.scroller} tabIndex={0} role="region" aria-label="Traces, list">
      <div
        role="table"
        aria-label="Traces"
        aria-rowcount={traces.length + 1}
        aria-busy={stale}
        className={styles.table}
        data-stale={stale}
        style={{ ["--time" as string]: withDay ? "132px" : "92px" }}
      >
        <div role="row" aria-rowindex={1} className={`${styles.row} ${styles.header}`}>
          <span role="columnheader">Start {zoneLabel(view.zone, span.endMs)}</span>
          <span role="columnheader">Root</span>
          <span role="columnheader">Services</span>
          <span role="columnheader">Spans</span>
          <span role="columnheader">Errors</span>
          <span role="columnheader">Duration</span>
        </div>
        <div role="rowgroup" className={styles.lines} style={{ height: list.getTotalSize() }}>
          {list.getVirtualItems().map((item) => {
            const trace = traces[item.index];
            return (
              trace && (
                <Row
                  key={trace.trace_id}
                  trace={trace}
                  at={item.index}
                  top={item.start}
                  height={height}
                  active={item.index === activeAt}
                  longest={longest}
                  colours={colours}
                  view={view}
                  withDay={withDay}
                  filtered={filtered}
                  onOpen={onOpen}
                />
              )
            );
          })}
        </div>
      </div>
      {traces.length >= view.limit && (
        <p className={styles.more}>
          {more ? (
            <button type="button" className="button" onClick={more.onMore}>
              Show up to {formatExact(more.limit)} traces
            </button>
          ) : (
            "There are more. A narrower query or time range shows the others."
          )}
        </p>
      )}
    </div>
  );
}

function serviceColours(traces: TraceSummary[]): Map<string, number | string> {
  const names = [...new Set(traces.flatMap(({ services }) => services.map(({ service }) => service)))];
  const slots = assignColours(names.map((label) => ({ label })));
  return new Map(names.map((name, at) => [name, slots[at] ?? 9]));
}

interface RowProps {
  trace: TraceSummary;
  at: number;
  top: number;
  height: number;
  active: boolean;
  longest: number;
  colours: Map<string, number | string>;
  view: TracesView;
  withDay: boolean;
  filtered: boolean;
  onOpen: (traceId: string, spanId?: string) => void;
}

function Row(props: RowProps) {
  const { trace, at, top, height, active, longest, colours, view, withDay, filtered, onOpen } = props;
  const ms = Date.parse(trace.start);
  const { root } = trace;
  const shown = trace.services.slice(0, shownServices);
  const hidden = trace.services.slice(shown.length);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the link in it does the same by keyboard
    <div
      role="row"
      aria-rowindex={at + 2}
      aria-selected={active}
      data-active={active}
      className={`${styles.row} ${styles.line}`}
      style={{ height, transform: `translateY(${top}px)` }}
      onClick={(event) => {
        const onLink = event.target instanceof Element && event.target.closest("a") !== null;
        if (!onLink && window.getSelection()?.isCollapsed !== false) onOpen(trace.trace_id);
      }}
    >
      <span role="cell" className={`${styles.time} tabular`}>
        {withDay && `${formatDay(ms, view.zone).slice(5)} `}
        {formatClockMs(ms, view.zone)}
      </span>
      <span role="cell" className={styles.root}>
        <span className={styles.name}>
          {root?.status === "error" && (
            <span className={styles.failed} title="The root failed">
              <Icon name="alert" small />
              <span className="visually-hidden">failed</span>
            </span>
          )}
          <Link
            to="/traces/$traceId"
            params={{ traceId: trace.trace_id }}
            search={view.zone === "local" ? { zone: "local" } : {}}
            className={styles.link}
          >
            {root ? (
              <>
                <span className={styles.service}>{root.service}</span> {root.name}
              </>
            ) : (
              <span className="mono">{trace.trace_id}</span>
            )}
          </Link>
          {root?.parent_id != null && <span className={styles.note}>parent missing</span>}
        </span>
        {filtered && trace.matched.length > 0 && (
          <span className={styles.matched}>
            {plural(trace.matched_spans, "match", "matches")}:{" "}
            {trace.matched.map((span, place) => (
              <span key={span.span_id}>
                {place > 0 && ", "}
                <Link
                  to="/traces/$traceId"
                  params={{ traceId: trace.trace_id }}
                  search={{ span: span.span_id, ...(view.zone === "local" && { zone: "local" as const }) }}
                  className={styles.match}
                  tabIndex={-1}
                >
                  {span.name}
                </Link>{" "}
                {formatNanos(span.duration_ns)}
              </span>
            ))}
          </span>
        )}
      </span>
      <span role="cell" className={styles.services}>
        {shown.map(({ service, spans, errors }) => (
          <span
            key={service}
            className={styles.chip}
            data-errors={errors > 0}
            title={`${service}: ${plural(spans, "span")}${errors > 0 ? `, ${plural(errors, "error")}` : ""}`}
          >
            <span className="swatch" style={{ background: cssColour(colours.get(service) ?? 9) }} />
            <span className={styles.chipName}>{service}</span>
          </span>
        ))}
        {hidden.length > 0 && (
          <span className={styles.chip} title={hidden.map(({ service }) => service).join(", ")}>
            +{hidden.length}
          </span>
        )}
      </span>
      <span role="cell" className={`${styles.number} tabular`}>
        {formatExact(trace.spans)}
        <span className={styles.unit}> {trace.spans === 1 ? "span" : "spans"}</span>
      </span>
      <span role="cell" className={`${styles.number} tabular`} data-errors={trace.errors > 0}>
        {trace.errors > 0 ? formatExact(trace.errors) : "–"}
        {trace.errors > 0 && <span className={styles.unit}> {trace.errors === 1 ? "error" : "errors"}</span>}
      </span>
      <span role="cell" className={styles.duration}>
        <span className={styles.track} aria-hidden="true">
          <span
            className={styles.bar}
            style={{ width: `${Math.max(1, (trace.duration_ns / longest) * 100)}%` }}
          />
        </span>
        <span className="tabular">{formatNanos(trace.duration_ns)}</span>
      </span>
    </div>
  );
}
