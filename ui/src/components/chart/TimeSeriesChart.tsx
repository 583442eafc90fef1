import { useMemo, useRef, useState } from "react";
import { valueAxis } from "../../lib/chart/axis";
import { assignColours, slotOf } from "../../lib/chart/colours";
import { describeChart } from "../../lib/chart/describe";
import type { Exemplar } from "../../lib/chart/exemplars";
import {
  type Annotation,
  type ChartSeries,
  drawnSeries,
  extentOf,
  gapsOf,
  stackValues,
  stepOf,
  type Thresholds,
  type Usual,
} from "../../lib/chart/series";
import type { Span } from "../../lib/time/range";
import type { Zone } from "../../lib/time/zone";
import { sizes } from "../../theme/tokens";
import { useShortcuts } from "../useShortcuts";
import styles from "./Chart.module.css";
import { ChartCanvas } from "./ChartCanvas";
import { ChartTable } from "./ChartTable";
import { Legend, type LegendLook } from "./Legend";
import type { ChartStyle } from "./plot";
import { toggleTables, useTables } from "./tables";
import { useVisible } from "./useVisible";

export interface TimeSeriesChartProps {
  /** For assistive technology: what the panel's title says. */
  name: string;
  series: ChartSeries[];
  /** Seconds, ascending; the same for every series. */
  times: number[];
  /** Grafana's id: "bytes", "s", "percentunit". */
  unit?: string;
  decimals?: number | undefined;
  zone: Zone;
  /** What the time axis shows; without it, from the first time to the last. */
  span?: Span | undefined;
  /** Of the drawing, without the legend. */
  height?: number;
  style?: ChartStyle;
  stack?: boolean;
  /** Share of the colour under lines, 0 to 1; by itself a single line and a stack are filled. */
  fill?: number | null;
  /** Values hold until the next one. */
  steps?: boolean;
  min?: number | undefined;
  max?: number | undefined;
  log?: boolean;
  /** Is zero on the axis, whatever the values are? */
  zero?: boolean;
  thresholds?: Thresholds[] | undefined;
  annotations?: Annotation[] | undefined;
  /** A grey band behind the lines. */
  usual?: Usual | undefined;
  /** Hollow diamonds that open their traces. */
  exemplars?: Exemplar[] | undefined;
  legend?: LegendLook;
  /** Values are counts, whose sum the legend says. */
  counts?: boolean;
  /** How high a legend that is a table may get. */
  legendPx?: number;
  /** Charts of one key share their cursor; by itself every chart of the page. */
  syncKey?: string;
  onZoom?: ((span: Span) => void) | undefined;
  onZoomBack?: (() => void) | undefined;
}

const none: never[] = [];

/** Values over time as lines, areas, stacks or bars, with a legend below; `Shift T` shows the numbers. */
export function TimeSeriesChart(props: TimeSeriesChartProps) {
  const { name, series, times, zone, span, unit = "none", log = false, zero = true, stack = false } = props;
  const { style = "lines", fill = null, steps = false, min, max, syncKey = "page" } = props;
  const { height = sizes.chartPx, legend = "auto", thresholds = none, annotations = none } = props;
  const { exemplars = none, usual } = props;
  const [chosen, setChosen] = useState<ReadonlySet<string> | null>(null);
  const frame = useRef<HTMLDivElement>(null);
  const visible = useVisible(frame);
  const asTable = useTables();
  useShortcuts({ "Shift T": toggleTables });

  const colours = useMemo(() => colourMap(series, stack), [series, stack]);
  // A name that is gone is no choice any more.
  const wanted = useMemo(() => {
    const kept = chosen ? series.filter(({ label }) => chosen.has(label)) : series;
    return kept.length > 0 ? kept : series;
  }, [series, chosen]);
  const drawn = useMemo(() => drawnSeries(wanted, stack), [wanted, stack]);
  const columns = useMemo(
    () => (stack ? stackValues(drawn.series) : drawn.series.map(({ values }) => values)),
    [drawn, stack],
  );
  const axis = useMemo(
    () =>
      valueAxis({
        extent: withThresholds(extentOf(columns), thresholds),
        unit,
        min,
        max,
        log,
        zero: zero || stack || style === "bars",
      }),
    [columns, thresholds, unit, min, max, log, zero, stack, style],
  );
  const stepS = useMemo(() => stepOf(times), [times]);
  const gaps = useMemo(() => gapsOf(times, columns, stepS), [times, columns, stepS]);
  const summary = useMemo(() => describeChart(wanted, times, unit, zone), [wanted, times, unit, zone]);
  const rangeS: [number, number] = span
    ? [span.startMs / 1000, span.endMs / 1000]
    : [times[0] ?? 0, times.at(-1) ?? 1];

  return (
    <div ref={frame} className={styles.chart} style={legendHeight(props.legendPx)}>
      {asTable ? (
        <ChartTable name={name} series={wanted} times={times} unit={unit} zone={zone} />
      ) : (
        <div className={styles.plot} style={{ height }}>
          {visible && (
            <ChartCanvas
              label={`${name}${log ? ", log scale" : ""}. ${summary}`}
              times={times}
              columns={columns}
              shape={{
                series: drawn.series,
                colours: drawn.series.map(({ label, colour }) => colours.get(label) ?? colour ?? 9),
                style,
                stack,
                fill,
                log,
                steps,
                syncKey,
              }}
              axis={axis}
              unit={unit}
              decimals={props.decimals}
              zone={zone}
              rangeS={rangeS}
              decoration={{ gaps, stepS, thresholds, annotations, usual }}
              exemplars={exemplars}
              onZoom={props.onZoom}
              onZoomBack={props.onZoomBack}
            />
          )}
          {log && <span className={styles.log}>log</span>}
        </div>
      )}
      {legend !== "hidden" && (
        <Legend
          series={series}
          colours={colours}
          chosen={chosen}
          hidden={drawn.hidden}
          stacked={stack}
          unit={unit}
          scale={axis.scale}
          decimals={props.decimals}
          look={legend}
          counts={props.counts ?? false}
          onChoose={setChosen}
        />
      )}
    </div>
  );
}

function legendHeight(px: number | undefined) {
  return px === undefined ? undefined : { ["--legend-height" as string]: `${px}px` };
}

/** Those that are drawn at first share out the palette; the others come one at a time. */
function colourMap(series: ChartSeries[], stack: boolean): Map<string, number | string> {
  const drawn = drawnSeries(series, stack).series;
  const first = assignColours(drawn);
  const colours = new Map(series.map(({ label, colour }) => [label, colour ?? slotOf(label)]));
  for (const [at, { label }] of drawn.entries()) colours.set(label, first[at] ?? 9);
  return colours;
}

/** A limit that is near belongs on the axis, and one that the chart is about; a far one would flatten the lines. */
function withThresholds(extent: { min: number; max: number } | null, thresholds: Thresholds[]) {
  if (!extent) return null;
  const always = thresholds.flatMap(({ value, always: wanted }) => (wanted ? [value] : []));
  const near = thresholds.map(({ value }) => value).filter((value) => value > 0 && value <= extent.max * 2);
  return { min: Math.min(extent.min, ...always), max: Math.max(extent.max, ...near, ...always) };
}
