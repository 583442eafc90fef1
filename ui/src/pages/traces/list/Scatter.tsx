import { useComputedColorScheme } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { type PointerEvent, useEffect, useMemo, useRef, useState } from "react";
import type { PointsAnswer, TracePoint } from "../../../api/traces";
import { usePaint } from "../../../components/chart/usePaint";
import { formatCount, plural } from "../../../lib/number";
import { formatClock, formatClockMs } from "../../../lib/time/format";
import { formatNanos } from "../../../lib/time/nanosText";
import type { Span } from "../../../lib/time/range";
import type { Zone } from "../../../lib/time/zone";
import { sentence } from "../../../lib/words";
import { drawScatter } from "./drawScatter";
import { PointsTable } from "./PointsTable";
import { type Area, durationAxis, nearestPoint, placePoints } from "./points";
import styles from "./Scatter.module.css";

interface ScatterProps {
  answer: PointsAnswer | undefined;
  error: Error | null;
  span: Span;
  zone: Zone;
  stale: boolean;
  asTable: boolean;
  onAsTable: (asTable: boolean) => void;
  onOpen: (traceId: string) => void;
  onRetry: () => void;
  onZoom: (span: Span) => void;
  onZoomBack: () => void;
}

const heightPx = 148;
const reachPx = 10;
const touchReachPx = 22;
const dragPx = 4;
const none: TracePoint[] = [];

/** Duration over time, a point per trace. A click opens it, a drag zooms, a double click goes back. */
export function Scatter(props: ScatterProps) {
  const { answer, error, span, zone, stale, asTable, onAsTable, onOpen, onRetry, onZoom, onZoomBack } = props;
  const points = answer?.points ?? none;
  const failed = points.filter((point) => point.error).length;
  return (
    <section className={styles.panel} aria-label="Durations over time">
      <div className={styles.head}>
        <h3>Duration</h3>
        <span className={styles.note}>of the longest span that matches, log</span>
        <span className="grow" />
        {failed > 0 && (
          <span className={styles.note}>
            <span className={styles.cross} aria-hidden="true">
              ×
            </span>{" "}
            {plural(failed, "error")}
          </span>
        )}
        {answer && answer.total > points.length && (
          <span className={styles.note}>
            {formatCount(points.length)} of {formatCount(answer.total)} traces, the slowest of each moment
            first
          </span>
        )}
        <button
          type="button"
          className={styles.toggle}
          aria-pressed={asTable}
          title="As a table (Shift T)"
          onClick={() => onAsTable(!asTable)}
        >
          Table
        </button>
      </div>
      {error ? (
        <p className={styles.empty} role="alert">
          {sentence(error.message)}{" "}
          <button type="button" className="link" onClick={onRetry}>
            Try again
          </button>
        </p>
      ) : asTable ? (
        <PointsTable points={points} zone={zone} />
      ) : (
        <ScatterCanvas
          points={points}
          pending={answer === undefined}
          span={span}
          zone={zone}
          stale={stale}
          onOpen={onOpen}
          onZoom={onZoom}
          onZoomBack={onZoomBack}
        />
      )}
    </section>
  );
}

interface CanvasProps {
  points: TracePoint[];
  pending: boolean;
  span: Span;
  zone: Zone;
  stale: boolean;
  onOpen: (traceId: string) => void;
  onZoom: (span: Span) => void;
  onZoomBack: () => void;
}

function ScatterCanvas({ points, pending, span, zone, stale, onOpen, onZoom, onZoomBack }: CanvasProps) {
  const { ref: box, width } = useElementSize<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const paintNow = usePaint(canvas);
  const scheme = useComputedColorScheme();
  const [pointed, setPointed] = useState(-1);
  const [drag, setDrag] = useState<[number, number] | null>(null);
  const pressed = useRef<number | null>(null);
  const axis = useMemo(() => durationAxis(points), [points]);
  const area: Area = useMemo(
    () => ({ left: 60, top: 8, width: Math.max(10, width - 76), height: heightPx - 8 - 24 }),
    [width],
  );
  const places = useMemo(() => placePoints(points, span, axis, area), [points, span, axis, area]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the scheme changes the colours
  useEffect(() => {
    const draw = () => {
      const paint = paintNow();
      const element = canvas.current;
      const ctx = element?.getContext("2d");
      if (!element || !ctx || !paint || width === 0) return;
      const ratio = globalThis.devicePixelRatio || 1;
      element.width = Math.round(width * ratio);
      element.height = Math.round(heightPx * ratio);
      ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
      drawScatter(
        ctx,
        { points, places, axis, area, span, zone, pointed, drag },
        { width, height: heightPx },
        paint,
      );
    };
    const frame = requestAnimationFrame(draw);
    return () => cancelAnimationFrame(frame);
  }, [points, places, axis, area, span, zone, pointed, drag, width, scheme]);

  const xOf = (event: { clientX: number }) =>
    event.clientX - (canvas.current?.getBoundingClientRect().left ?? 0);
  const pointAt = (event: PointerEvent) => {
    const y = event.clientY - (canvas.current?.getBoundingClientRect().top ?? 0);
    const reach = event.pointerType === "mouse" ? reachPx : touchReachPx;
    return nearestPoint(places, xOf(event), y, reach);
  };
  const onPointerMove = (event: PointerEvent) => {
    const from = pressed.current;
    const x = xOf(event);
    if (from !== null && event.pointerType === "mouse" && (drag || Math.abs(x - from) > dragPx)) {
      setPointed(-1);
      setDrag([from, x]);
    } else setPointed(pointAt(event));
  };
  const onPointerUp = (event: PointerEvent) => {
    const from = pressed.current;
    pressed.current = null;
    if (from !== null && drag) {
      setDrag(null);
      const msAt = (x: number) => {
        const share = Math.min(1, Math.max(0, (x - area.left) / area.width));
        return Math.round(span.startMs + share * (span.endMs - span.startMs));
      };
      const [startMs = 0, endMs = 0] = [from, xOf(event)].map(msAt).sort((a, b) => a - b);
      if (endMs > startMs) onZoom({ startMs, endMs });
      return;
    }
    const point = points[from === null ? -1 : pointAt(event)];
    if (point) onOpen(point.trace_id);
  };
  const tip = points[pointed];
  const at = places[pointed];
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: pointer only; the table and the list below do the same by keyboard
    <div
      ref={box}
      className={styles.canvas}
      style={{ height: heightPx }}
      data-stale={stale}
      data-pointed={pointed >= 0}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        pressed.current = xOf(event);
        if (event.pointerType === "mouse") event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={onPointerMove}
      onPointerUp={onPointerUp}
      onPointerLeave={() => setPointed(-1)}
      onDoubleClick={() => pointed < 0 && onZoomBack()}
    >
      <canvas ref={canvas} role="img" aria-label={summaryOf(points, zone, pending)} />
      {!pending && points.length === 0 && <p className={styles.nothing}>No trace in this time.</p>}
      {tip && at && (
        <div
          className={`${styles.tooltip} floating`}
          style={{
            top: Math.max(0, Math.min(at.y - 20, heightPx - 84)),
            ...(at.x > width / 2 ? { right: width - at.x + 14 } : { left: at.x + 14 }),
          }}
          aria-hidden="true"
        >
          <div className="text1">
            {tip.service} {tip.name}
          </div>
          <div className="tabular">
            <span className="text1">{formatNanos(tip.duration_ns)}</span> at{" "}
            {formatClockMs(Date.parse(tip.start), zone)}
          </div>
          <div className={tip.error ? styles.error : "text3"}>{tip.error ? "failed" : "click opens it"}</div>
        </div>
      )}
    </div>
  );
}

/** "240 traces from 12 ms to 1.04 s, the slowest at 10:14:07; 9 failed." */
function summaryOf(points: TracePoint[], zone: Zone, pending: boolean): string {
  if (pending) return "Durations of traces over time, loading";
  const [first] = points;
  if (!first) return "Durations of traces over time: none";
  let [fastest, slowest] = [first, first];
  for (const point of points) {
    if (point.duration_ns < fastest.duration_ns) fastest = point;
    if (point.duration_ns > slowest.duration_ns) slowest = point;
  }
  const failed = points.filter(({ error }) => error).length;
  return `Durations of traces over time, log scale: ${plural(points.length, "trace")} from ${formatNanos(fastest.duration_ns)} to ${formatNanos(slowest.duration_ns)}, the slowest at ${formatClock(Date.parse(slowest.start), zone)}; ${failed} failed`;
}
