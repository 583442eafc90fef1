// A uPlot of a model: how lines, stacks and bars look, and what the pointer does.
import uPlot from "uplot";
import { tickText, type ValueAxis } from "../../lib/chart/axis";
import type { DrawnSeries } from "../../lib/chart/series";
import { tickLabel, timeTicks } from "../../lib/scale";
import type { Span } from "../../lib/time/range";
import type { Zone } from "../../lib/time/zone";
import { type Decoration, drawOver, drawUnder } from "./decorate";
import { dashOf, type Paint } from "./paint";

export type ChartStyle = "lines" | "bars" | "points";

/** What the plot is built for; another shape is another plot. */
export interface Shape {
  series: DrawnSeries[];
  colours: (number | string)[];
  style: ChartStyle;
  stack: boolean;
  /** 0 to 1; null: by the number of series. */
  fill: number | null;
  log: boolean;
  steps: boolean;
  syncKey: string;
}

/** What may change under a plot that stands. */
export interface Live {
  axis: ValueAxis;
  unit: string;
  zone: Zone;
  /** Seconds. */
  range: [start: number, end: number];
  decoration: Decoration;
  onCursor: (cursor: CursorAt | null) => void;
  onZoom: ((span: Span) => void) | undefined;
  onZoomBack: (() => void) | undefined;
  /** After every drawing: where the plot stands may have changed. */
  onDraw: (plot: uPlot) => void;
}

export interface CursorAt {
  at: number;
  /** CSS pixels within the chart. */
  left: number;
}

const stackAlpha = 0.55;
const areaAlpha = 0.1;
const fontPx = 11;

export function createPlot(
  target: HTMLElement,
  size: { width: number; height: number },
  data: uPlot.AlignedData,
  shape: Shape,
  live: { current: Live },
  paint: Paint,
): uPlot {
  const options: uPlot.Options = {
    ...size,
    padding: [8, 12, 0, 0],
    legend: { show: false },
    pxAlign: 1,
    scales: {
      x: { time: true, range: () => live.current.range },
      y: {
        ...(shape.log && { distr: 3 as const, log: 10 as const }),
        range: () => [live.current.axis.min, live.current.axis.max],
      },
    },
    axes: [timeAxis(live, paint), valueAxisOf(live, paint)],
    series: [{}, ...shape.series.map((series, at) => seriesOptions(series, at, shape, paint))],
    // Between a line and the one that it stands on.
    ...(shape.stack && {
      bands: shape.series.slice(1).map((_, at) => ({ series: [at + 2, at + 1] as [number, number] })),
    }),
    cursor: cursorOptions(shape, live, paint),
    hooks: {
      drawClear: [(plot) => drawUnder(plot, live.current.decoration, paint)],
      draw: [(plot) => drawOver(plot, live.current.decoration, paint), (plot) => live.current.onDraw(plot)],
      setCursor: [(plot) => live.current.onCursor(cursorAt(plot))],
      setSelect: [(plot) => selected(plot, live.current)],
    },
  };
  return new uPlot(options, data, target);
}

function cursorAt(plot: uPlot): CursorAt | null {
  const { idx, left } = plot.cursor;
  if (idx === null || idx === undefined || left === undefined || left < 0) return null;
  return { at: idx, left: left + plot.over.offsetLeft };
}

function selected(plot: uPlot, { onZoom }: Live): void {
  const { left, width } = plot.select;
  if (width <= 0) return;
  const span = {
    startMs: Math.round(plot.posToVal(left, "x") * 1000),
    endMs: Math.round(plot.posToVal(left + width, "x") * 1000),
  };
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  if (span.endMs > span.startMs) onZoom?.(span);
}

function cursorOptions(shape: Shape, live: { current: Live }, paint: Paint): uPlot.Cursor {
  return {
    x: true,
    y: false,
    drag: { x: true, y: false, setScale: false, dist: 4 },
    sync: {
      key: shape.syncKey,
      // By time, where the charts of a page show different spans. A selection is the chart's own.
      scales: ["x", null],
      filters: { pub: (type) => type === "mousemove" || type === "mouseleave", sub: () => true },
    },
    points: {
      size: 7,
      width: 1.5,
      fill: (_, at) => paint.series(shape.colours[at - 1] ?? 1),
      stroke: () => paint.role("panel"),
    },
    bind: {
      dblclick: () => () => {
        live.current.onZoomBack?.();
        return null;
      },
    },
  };
}

function seriesOptions(series: DrawnSeries, at: number, shape: Shape, paint: Paint): uPlot.Series {
  const colour = shape.colours[at] ?? 1;
  const bars = shape.style === "bars";
  const alone = shape.series.length === 1;
  const fill = shape.fill ?? (shape.stack ? stackAlpha : bars ? 0.8 : alone ? areaAlpha : 0);
  const dash = series.isOther ? [4, 3] : shape.stack || bars ? undefined : dashOf(colour);
  return {
    label: series.label,
    stroke: paint.series(colour),
    width: bars ? 0 : shape.style === "points" ? 0 : shape.stack ? 1 : 1.5,
    ...(dash && { dash }),
    ...(fill > 0 && shape.style !== "points" && { fill: paint.series(colour, fill) }),
    ...pathsOf(shape),
    points: {
      show: shape.style === "points",
      size: 4,
      width: 0,
      fill: paint.series(colour),
      ...(shape.style === "lines" && { filter: (plot: uPlot, index: number) => isolated(plot.data[index]) }),
    },
  };
}

function pathsOf(shape: Shape): Pick<uPlot.Series, "paths"> {
  const paths =
    shape.style === "bars"
      ? uPlot.paths.bars?.({ size: [0.85, 60], align: 0 })
      : shape.style === "points"
        ? () => null
        : shape.steps
          ? uPlot.paths.stepped?.({ align: 1 })
          : uPlot.paths.linear?.();
  return paths ? { paths } : {};
}

/** A value between two gaps has no line to be seen by. */
function isolated(values: ArrayLike<number | null | undefined> | undefined): number[] | null {
  const found: number[] = [];
  const there = (at: number) => values?.[at] !== null && values?.[at] !== undefined;
  for (let at = 0; at < (values?.length ?? 0); at += 1)
    if (there(at) && !there(at - 1) && !there(at + 1)) found.push(at);
  return found.length > 0 ? found : null;
}

function timeAxis(live: { current: Live }, paint: Paint): uPlot.Axis {
  const ticksOf = (plot: uPlot) => {
    const [start, end] = live.current.range;
    const count = Math.max(2, Math.floor(plot.bbox.width / uPlot.pxRatio / 80));
    return timeTicks(start * 1000, end * 1000, count, live.current.zone);
  };
  return {
    stroke: paint.role("text-3"),
    font: paint.font,
    size: 22,
    gap: 4,
    grid: { show: false },
    ticks: { show: false },
    border: { show: true, stroke: paint.role("line-strong"), width: 1 },
    splits: (plot) => {
      const [start, end] = live.current.range;
      // Without those that the edge would cut.
      const edge = ((end - start) * 18 * uPlot.pxRatio) / Math.max(1, plot.bbox.width);
      return ticksOf(plot)
        .ticks.map((ms) => ms / 1000)
        .filter((at) => at >= start + edge && at <= end - edge);
    },
    values: (plot, splits) => {
      const { stepMs } = ticksOf(plot);
      return splits.map((at) => tickLabel(at * 1000, stepMs, live.current.zone));
    },
  };
}

function valueAxisOf(live: { current: Live }, paint: Paint): uPlot.Axis {
  return {
    stroke: paint.role("text-3"),
    font: paint.font,
    size: (plot, values) => {
      plot.ctx.font = paint.font;
      const widths = (values ?? []).map((text) => plot.ctx.measureText(text ?? "").width);
      return Math.max(34, Math.ceil(Math.max(0, ...widths)) + 12);
    },
    gap: 6,
    grid: { show: true, stroke: paint.role("grid"), width: 1 },
    ticks: { show: false },
    splits: (plot) => thinned(live.current.axis.ticks, plot.bbox.height / uPlot.pxRatio),
    values: (_, splits) => splits.map((value) => tickText(value, live.current.axis, live.current.unit)),
  };
}

/** A low chart has room for fewer ticks. */
function thinned(ticks: number[], heightPx: number): number[] {
  const every = Math.max(1, Math.ceil(((ticks.length - 1) * (fontPx + 9)) / Math.max(1, heightPx)));
  const zero = Math.max(0, ticks.indexOf(0));
  return ticks.filter((_, at) => (at - zero) % every === 0);
}
