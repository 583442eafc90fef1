import { useComputedColorScheme } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useEffect, useMemo, useRef, useState } from "react";
import type uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { ValueAxis } from "../../lib/chart/axis";
import { type Exemplar, type PlotBox, placeExemplars } from "../../lib/chart/exemplars";
import type { Span } from "../../lib/time/range";
import type { Zone } from "../../lib/time/zone";
import styles from "./Chart.module.css";
import type { Decoration } from "./decorate";
import { Exemplars } from "./Exemplars";
import { paintOf } from "./paint";
import { type CursorAt, createPlot, type Live, type Shape } from "./plot";
import { Tooltip } from "./Tooltip";
import { useTimeCursor } from "./useTimeCursor";

interface ChartCanvasProps {
  label: string;
  times: number[];
  /** What is drawn: stacked, where the chart is a stack. */
  columns: (number | null)[][];
  shape: Shape;
  axis: ValueAxis;
  unit: string;
  decimals: number | undefined;
  zone: Zone;
  rangeS: [number, number];
  decoration: Decoration;
  exemplars: Exemplar[];
  onZoom: ((span: Span) => void) | undefined;
  onZoomBack: (() => void) | undefined;
}

/** The drawing, the cursor and its tooltip. Data and ranges change under a plot that stands; a new shape is a new plot. */
export function ChartCanvas(props: ChartCanvasProps) {
  const { label, times, columns, shape, axis, unit, decimals, zone, rangeS, decoration } = props;
  const { exemplars, onZoom, onZoomBack } = props;
  const { ref: canvas, width, height } = useElementSize<HTMLDivElement>();
  const frame = useRef<HTMLDivElement>(null);
  const scheme = useComputedColorScheme();
  const plot = useRef<uPlot | null>(null);
  const [cursor, setCursor] = useState<CursorAt | null>(null);
  const [pinned, setPinned] = useState<CursorAt | null>(null);
  const [box, setBox] = useState<PlotBox | null>(null);
  const pointed = useRef(false);
  const data = [times, ...columns] as uPlot.AlignedData;
  const live = useRef<Live>(null as unknown as Live);
  live.current = {
    axis,
    unit,
    zone,
    range: rangeS,
    decoration,
    onZoom,
    onZoomBack,
    // The other charts of the page show the line only.
    onCursor: (at) => setCursor(pointed.current ? at : null),
    onDraw: ({ over }) => {
      const { offsetLeft: left, offsetTop: top, clientWidth, clientHeight } = over;
      setBox((old) =>
        old?.left === left && old.top === top && old.width === clientWidth && old.height === clientHeight
          ? old
          : { left, top, width: clientWidth, height: clientHeight },
      );
    },
  };
  const [startS, endS] = rangeS;
  const placed = useMemo(
    () => (box && exemplars.length > 0 ? placeExemplars(exemplars, box, [startS, endS], axis) : []),
    [box, exemplars, startS, endS, axis],
  );
  const drawn = useRef<unknown>(null);
  const sized = width > 0 && height > 0;
  const key = JSON.stringify([
    shape.series.map(({ label: name, isOther }) => [name, isOther]),
    { ...shape, series: null },
  ]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for the shape; the rest is read while it lives
  useEffect(() => {
    if (!frame.current || !sized) return;
    const made = createPlot(frame.current, { width, height }, data, shape, live, paintOf(frame.current));
    plot.current = made;
    drawn.current = columns;
    // The first drawing may come before the font.
    void document.fonts?.ready.then(() => plot.current === made && made.redraw(false, true));
    return () => {
      plot.current = null;
      made.destroy();
      setCursor(null);
    };
  }, [key, scheme, sized]);

  useEffect(() => {
    if (sized) plot.current?.setSize({ width, height });
  }, [width, height, sized]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: what a drawing depends on beside the shape
  useEffect(() => {
    if (!plot.current || drawn.current === null) return;
    drawn.current = columns;
    setPinned(null);
    plot.current.setData(data, true);
  }, [
    times,
    columns,
    axis,
    unit,
    zone,
    rangeS[0],
    rangeS[1],
    decoration.thresholds,
    decoration.annotations,
    decoration.usual,
  ]);

  const keys = useTimeCursor(times, {
    plot,
    pointed,
    onZoom,
    onZoomBack,
    zone,
    shape,
    unit,
    onCursor: setCursor,
  });
  const shown = pinned ?? cursor;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: pointer only; the slider does the same by keyboard
    // biome-ignore lint/a11y/useKeyWithClickEvents: see above
    <div
      ref={canvas}
      className={styles.canvas}
      data-pinned={pinned !== null}
      onPointerEnter={() => {
        pointed.current = true;
      }}
      onPointerLeave={() => {
        pointed.current = false;
        setCursor(null);
      }}
      onClick={() => setPinned(pinned === null ? cursor : null)}
    >
      <div ref={frame} className={styles.frame} role="img" aria-label={label} />
      <div className={styles.slider} {...keys} />
      <Exemplars placed={placed} width={width} unit={unit} zone={zone} />
      {shown && (
        <Tooltip
          cursor={shown}
          pinned={pinned !== null}
          width={width}
          times={times}
          series={shape.series}
          colours={shape.colours}
          annotations={decoration.annotations}
          stepS={decoration.stepS}
          unit={unit}
          decimals={decimals}
          zone={zone}
        />
      )}
    </div>
  );
}
