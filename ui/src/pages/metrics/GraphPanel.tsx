import type { UseQueryResult } from "@tanstack/react-query";
import { useMemo } from "react";
import type { MetricMetadata, RangeAnswer } from "../../api/prometheus";
import { TimeSeriesChart } from "../../components/chart/TimeSeriesChart";
import { useExemplars } from "../../components/chart/useExemplars";
import { PartialTag } from "../../components/PartialTag";
import type { Exemplar } from "../../lib/chart/exemplars";
import { type ChartSeries, extentOf } from "../../lib/chart/series";
import { plural } from "../../lib/number";
import { legendNames } from "../../lib/promql/legend";
import { type Grid, gridTimes, onGrid } from "../../lib/promql/range";
import { guessUnit } from "../../lib/promql/units";
import { formatSpan } from "../../lib/time/format";
import type { Span } from "../../lib/time/range";
import { zoneLabel } from "../../lib/time/zone";
import { unitLabel } from "../../lib/units";
import styles from "./MetricsPage.module.css";
import { AnswerState } from "./states";
import type { MetricsView } from "./url";

interface GraphPanelProps {
  view: MetricsView;
  span: Span;
  grid: Grid;
  answers: UseQueryResult<RangeAnswer>[];
  generation: number;
  metadata: Record<string, MetricMetadata[]>;
  onChange: (change: Partial<MetricsView>) => void;
  onRetry: () => void;
  onZoom: (span: Span) => void;
  onZoomBack: () => void;
}

interface Group {
  unit: string;
  series: ChartSeries[];
}

const heightPx = 380;
const severalPx = 240;

/** The queries' values over time; each unit has a chart of its own. */
export function GraphPanel(props: GraphPanelProps) {
  const { view, span, grid, answers, generation, metadata, onChange, onRetry, onZoom, onZoomBack } = props;
  const { startS, endS, stepS } = grid;
  const datas = answers.map(({ data }) => data);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the answers one by one, and the queries by their text
  const { groups, times, histograms } = useMemo(
    () => groupsOf(view, datas, { startS, endS, stepS }, metadata),
    [...datas, view.queries.length, JSON.stringify(view.queries), startS, endS, stepS, metadata],
  );
  const exemplars = useExemplars(
    view.queries.map(({ text, hidden }) => ({
      text: hidden ? null : text,
      span,
      generation,
      enabled: groups.length > 0,
    })),
  );
  const byUnit = exemplarsByUnit(view, exemplars, metadata);
  const warnings = [...new Set(datas.flatMap((data) => data?.warnings ?? []))];
  const infos = [...new Set(datas.flatMap((data) => data?.infos ?? []))];
  return (
    <AnswerState
      view={view}
      answers={answers}
      count={groups.length}
      histograms={histograms}
      within={`${formatSpan(span, view.zone, Date.now())} ${zoneLabel(view.zone, span.endMs)}`}
      onChange={onChange}
      onRetry={onRetry}
    >
      {groups.map(({ unit, series }, at) => (
        <section
          key={unit}
          className={`panel ${styles.panel}`}
          aria-label={groups.length > 1 ? `Graph ${at + 1}` : "Graph"}
        >
          <div className={styles.head}>
            <h2>{plural(series.length, "series", "series")}</h2>
            <span className="text3 small">{saidUnit(series, unit)}</span>
            <span className="grow" />
            {at === 0 && <PartialTag warnings={warnings} />}
          </div>
          <TimeSeriesChart
            name="Values over time"
            series={series}
            times={times}
            unit={unit}
            zone={view.zone}
            span={span}
            height={groups.length > 1 ? severalPx : heightPx}
            legendPx={groups.length > 1 ? 152 : 300}
            stack={view.stack}
            zero={!nearlyFlat(series)}
            exemplars={byUnit.get(unit)}
            onZoom={onZoom}
            onZoomBack={onZoomBack}
          />
        </section>
      ))}
      {infos.map((info) => (
        <p key={info} className={styles.info}>
          {info}
        </p>
      ))}
      {histograms > 0 && (
        <p className={styles.info}>
          {plural(histograms, "series carries", "series carry")} native histograms, which are not drawn: ask
          for histogram_quantile or histogram_count of them.
        </p>
      )}
    </AnswerState>
  );
}

function groupsOf(
  view: MetricsView,
  answers: (RangeAnswer | undefined)[],
  grid: Grid,
  metadata: Record<string, MetricMetadata[]>,
) {
  const groups = new Map<string, ChartSeries[]>();
  const taken = new Set<string>();
  let histograms = 0;
  for (const [at, { hidden, text, legend }] of view.queries.entries()) {
    const answer = answers[at];
    if (hidden || text.trim() === "" || !answer) continue;
    const points = answer.series.filter(({ times }) => times.length > 0);
    histograms += answer.series.filter((found) => found.histograms).length;
    const labels = points.map((found) => found.labels);
    const names = legendNames(labels, legend, text);
    const unit = guessUnit(text, metadata);
    const series = groups.get(unit) ?? [];
    for (const [place, found] of points.entries()) {
      const name = names[place] ?? text;
      const label = taken.has(name) ? `${String.fromCharCode(65 + at)} ${name}` : name;
      taken.add(label);
      series.push({ label, values: onGrid(found, grid) });
    }
    if (series.length > 0) groups.set(unit, series);
  }
  const list: Group[] = [...groups].map(([unit, series]) => ({ unit, series }));
  return { groups: list, times: gridTimes(grid), histograms };
}

/** The exemplars of a query are on the chart of its unit. */
function exemplarsByUnit(
  view: MetricsView,
  exemplars: Exemplar[][],
  metadata: Record<string, MetricMetadata[]>,
): Map<string, Exemplar[]> {
  const found = new Map<string, Exemplar[]>();
  for (const [at, list] of exemplars.entries()) {
    const unit = guessUnit(view.queries[at]?.text ?? "", metadata);
    if (list.length > 0) found.set(unit, [...(found.get(unit) ?? []), ...list]);
  }
  return found;
}

function saidUnit(series: ChartSeries[], unit: string): string {
  const extent = extentOf(series.map(({ values }) => values));
  return unitLabel(unit, extent ? Math.max(Math.abs(extent.min), Math.abs(extent.max)) : 0);
}

/** Values that differ a little, far from zero: with zero on the axis they would be a line at the top. */
function nearlyFlat(series: ChartSeries[]): boolean {
  const extent = extentOf(series.map(({ values }) => values));
  if (extent === null || extent.min <= 0) return false;
  const size = extent.max - extent.min;
  return size > 0 && size < extent.max * 0.02;
}
