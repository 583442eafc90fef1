import { useComputedColorScheme } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { type KeyboardEvent, type PointerEvent, useEffect, useRef, useState } from "react";
import type { HistogramAnswer } from "../../api/logs";
import { formatExact } from "../../lib/number";
import { severities, severityRole } from "../../lib/severity";
import type { Span } from "../../lib/time/range";
import type { Zone } from "../../lib/time/zone";
import { sizes } from "../../theme/tokens";
import { drawHistogram, plotArea } from "./drawHistogram";
import styles from "./Histogram.module.css";
import {
  type Area,
  bucketAt,
  bucketsSpan,
  bucketTime,
  describeBucket,
  draggedSpan,
  movedCursor,
  totalAt,
} from "./histogram";
import { describeMarkers, type Marker, markersAt, markerText } from "./markers";

interface HistogramProps {
  answer: HistogramAnswer;
  markers: Marker[];
  zone: Zone;
  label: string;
  onZoom: (span: Span) => void;
  onZoomBack: () => void;
}

const dragThresholdPx = 4;

export function Histogram({ answer, markers, zone, label, onZoom, onZoomBack }: HistogramProps) {
  const { ref: frame, width } = useElementSize<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const scheme = useComputedColorScheme();
  const [hoverX, setHoverX] = useState<number | null>(null);
  const [dragFrom, setDragFrom] = useState<number | null>(null);
  const area = plotArea(width, sizes.histogramPx, markers.length > 0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: width and scheme are read from the page while drawing
  useEffect(() => {
    if (canvas.current && width > 0) drawHistogram(canvas.current, { answer, markers, zone });
  }, [answer, markers, zone, width, scheme]);
  useEffect(() => {
    // The first drawing may come before the font.
    void document.fonts?.ready.then(
      () => canvas.current && drawHistogram(canvas.current, { answer, markers, zone }),
    );
  }, [answer, markers, zone]);

  const positionOf = (event: PointerEvent<HTMLDivElement>) =>
    event.clientX - event.currentTarget.getBoundingClientRect().left;
  const start = (event: PointerEvent<HTMLDivElement>) => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    setDragFrom(positionOf(event));
  };
  const finish = (event: PointerEvent<HTMLDivElement>) => {
    const to = positionOf(event);
    setDragFrom(null);
    if (dragFrom === null || Math.abs(to - dragFrom) < dragThresholdPx) return;
    onZoom(draggedSpan(answer, area, dragFrom, to));
  };
  const dragging = dragFrom !== null && hoverX !== null && Math.abs(hoverX - dragFrom) >= dragThresholdPx;
  const hovered = hoverX === null || dragging ? null : bucketAt(answer, area, hoverX);
  const keys = useBucketCursor(answer, onZoom, onZoomBack);
  const bucket = hovered ?? keys.cursor;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: pointer only; the time panel and arrow keys do the same
    <div
      ref={frame}
      className={styles.frame}
      onPointerDown={start}
      onPointerMove={(event) => setHoverX(positionOf(event))}
      onPointerUp={finish}
      onPointerCancel={() => setDragFrom(null)}
      onPointerLeave={() => dragFrom === null && setHoverX(null)}
      onDoubleClick={onZoomBack}
    >
      <canvas
        ref={canvas}
        className={styles.canvas}
        role="img"
        aria-label={`Records over time by severity. ${label}${describeMarkers(markers, zone)}`}
      />
      <div
        role="slider"
        tabIndex={0}
        className={styles.slider}
        aria-label="Time cursor: arrows move it, with Shift they select, Enter zooms, Backspace goes back"
        aria-valuemin={0}
        aria-valuemax={answer.buckets - 1}
        aria-valuenow={keys.cursor ?? answer.buckets - 1}
        aria-valuetext={valueText(answer, markers, keys.cursor ?? answer.buckets - 1, zone)}
        onFocus={keys.onFocus}
        onBlur={keys.onBlur}
        onKeyDown={keys.onKeyDown}
      />
      {keys.selected && <Selection {...edgesOf(answer, area, keys.selected)} area={area} />}
      {dragging && <Selection from={dragFrom} to={hoverX} area={area} />}
      {bucket !== null && (
        <Tooltip answer={answer} markers={markers} bucket={bucket} zone={zone} area={area} />
      )}
    </div>
  );
}

function valueText(answer: HistogramAnswer, markers: Marker[], bucket: number, zone: Zone): string {
  const here = markersAt(markers, answer, bucket).map((marker) => markerText(marker, zone));
  return [describeBucket(answer, bucket, zone), ...here].join("; ");
}

/** The cursor that the keyboard moves from bucket to bucket, and what Shift selects with it. */
function useBucketCursor(answer: HistogramAnswer, onZoom: (span: Span) => void, onZoomBack: () => void) {
  const [position, setCursor] = useState<number | null>(null);
  const [anchor, setAnchor] = useState<number | null>(null);
  // The answer may have fewer buckets than the one before.
  const cursor = position === null ? null : Math.min(position, answer.buckets - 1);
  const from = Math.min(anchor ?? cursor ?? 0, answer.buckets - 1);
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    if (cursor === null || event.ctrlKey || event.metaKey || event.altKey) return;
    const to = movedCursor(event.key, cursor, answer.buckets);
    if (to !== null) {
      setAnchor(event.shiftKey ? from : null);
      setCursor(to);
    } else if (event.key === "Enter" || event.key === " ") {
      setAnchor(null);
      onZoom(bucketsSpan(answer, from, cursor));
    } else if (event.key === "Backspace") {
      onZoomBack();
    } else if (event.key === "Escape") {
      event.currentTarget.blur();
    } else {
      return;
    }
    event.preventDefault();
  };
  return {
    cursor,
    selected: anchor !== null && cursor !== null ? ([from, cursor] as const) : null,
    onKeyDown,
    onFocus: () => setCursor((old) => old ?? answer.buckets - 1),
    onBlur: () => {
      setCursor(null);
      setAnchor(null);
    },
  };
}

function edgesOf(answer: HistogramAnswer, area: Area, [one, other]: readonly [number, number]) {
  const edge = (bucket: number) => area.left + (bucket / answer.buckets) * area.width;
  return { from: edge(Math.min(one, other)), to: edge(Math.max(one, other) + 1) };
}

function Selection({ from, to, area }: { from: number; to: number; area: Area }) {
  const left = Math.max(area.left, Math.min(from, to));
  const right = Math.min(area.left + area.width, Math.max(from, to));
  return <div className={styles.selection} style={{ left, width: Math.max(0, right - left) }} />;
}

interface TooltipProps {
  answer: HistogramAnswer;
  markers: Marker[];
  bucket: number;
  zone: Zone;
  area: Area;
}

function Tooltip({ answer, markers, bucket, zone, area }: TooltipProps) {
  const x = area.left + ((bucket + 0.5) / answer.buckets) * area.width;
  const onLeft = x > area.left + area.width / 2;
  const counts = severities.map((severity) => ({
    severity,
    count: answer.series.find((series) => series.severity === severity)?.counts[bucket] ?? 0,
  }));
  const side = onLeft ? { right: `calc(100% - ${x - 10}px)` } : { left: x + 10 };
  return (
    <>
      <div className={styles.cursor} style={{ left: Math.round(x) }} />
      <div className={`${styles.tooltip} floating`} style={side} aria-hidden="true">
        <div className="text1 tabular">{bucketTime(answer, bucket, zone)}</div>
        {counts
          .filter(({ count }) => count > 0)
          .map(({ severity, count }) => (
            <div key={severity} className={styles.count}>
              <span className="swatch" style={{ background: `var(--${severityRole[severity]})` }} />
              <span>{severity}</span>
              <span className="text1 tabular">{formatExact(count)}</span>
            </div>
          ))}
        {totalAt(answer, bucket) === 0 && <div>no records</div>}
        {markersAt(markers, answer, bucket).map((marker) => (
          <div key={`${marker.ms} ${marker.text}`} className={styles.marker} data-kind={marker.kind}>
            {markerText(marker, zone)}
          </div>
        ))}
      </div>
    </>
  );
}
