import { type KeyboardEvent, useState } from "react";
import type { PlacedExemplar } from "../../lib/chart/exemplars";
import { formatClockMs } from "../../lib/time/format";
import type { Zone } from "../../lib/time/zone";
import { formatValue } from "../../lib/units";
import { TraceLink } from "../TraceLink";
import styles from "./Exemplars.module.css";

interface ExemplarsProps {
  placed: PlacedExemplar[];
  /** Of the chart. */
  width: number;
  unit: string;
  zone: Zone;
}

/** Hollow diamonds that open their traces: one stop of the keyboard, arrows go from one to the next. */
export function Exemplars({ placed, width, unit, zone }: ExemplarsProps) {
  const [shown, setShown] = useState<PlacedExemplar | null>(null);
  const [current, setCurrent] = useState(0);
  if (placed.length === 0) return null;
  const at = Math.min(current, placed.length - 1);
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (by === 0) return;
    event.preventDefault();
    event.stopPropagation();
    const next = Math.min(placed.length - 1, Math.max(0, at + by));
    setCurrent(next);
    event.currentTarget.querySelectorAll<HTMLElement>("a")[next]?.focus();
  };
  const side =
    shown && (shown.left > width / 2 ? { right: width - shown.left + 10 } : { left: shown.left + 10 });
  return (
    <div
      role="group"
      aria-label="Traces of single samples"
      onKeyDown={onKeyDown}
      onClick={(event) => event.stopPropagation()}
    >
      {placed.map((one, index) => (
        // biome-ignore lint/a11y/noStaticElementInteractions: they show what the link's name says
        <span
          key={`${one.exemplar.traceId} ${one.exemplar.time}`}
          className={styles.place}
          style={{ left: one.left, top: one.top }}
          onPointerEnter={() => setShown(one)}
          onPointerLeave={() => setShown(null)}
          onFocus={() => {
            setCurrent(index);
            setShown(one);
          }}
          onBlur={() => setShown(null)}
        >
          <TraceLink
            traceId={one.exemplar.traceId}
            spanId={one.exemplar.spanId}
            className={styles.link}
            hiddenLabel={nameOf(one, unit, zone)}
            tabIndex={index === at ? 0 : -1}
          >
            <svg viewBox="0 0 11 11" className={styles.diamond} aria-hidden="true">
              <path d="M5.500 1l4.500 4.500l-4.500 4.500l-4.500-4.500z" />
            </svg>
          </TraceLink>
        </span>
      ))}
      {shown && side && (
        <div
          className={`${styles.tooltip} floating`}
          style={{ ...side, top: Math.max(0, shown.top - 12) }}
          aria-hidden="true"
        >
          <div className="text1 tabular">
            {formatClockMs(shown.exemplar.time * 1000, zone)}
            {shown.exemplar.value !== null && `, ${formatValue(shown.exemplar.value, unit)}`}
          </div>
          {shown.exemplar.text !== "" && <div className={styles.text}>{shown.exemplar.text}</div>}
          <div className="mono text3">{shown.exemplar.traceId.slice(0, 16)}…</div>
          <div>Click opens the trace</div>
        </div>
      )}
    </div>
  );
}

function nameOf({ exemplar }: PlacedExemplar, unit: string, zone: Zone): string {
  const value = exemplar.value === null ? "" : `, ${formatValue(exemplar.value, unit)}`;
  const text = exemplar.text === "" ? "" : ` of ${exemplar.text}`;
  return `Trace at ${formatClockMs(exemplar.time * 1000, zone)}${value}${text}`;
}
