import type { MapNode } from "../../../api/services";
import { TimeSeriesChart } from "../../../components/chart/TimeSeriesChart";
import { useRanges } from "../../../components/chart/useAnswers";
import { type ChartSeries, extentOf } from "../../../lib/chart/series";
import { gridOf, gridTimes, onGrid, stepFor } from "../../../lib/promql/range";
import type { Span } from "../../../lib/time/range";
import { unitLabel } from "../../../lib/units";
import { sentence } from "../../../lib/words";
import { ChartFrame } from "../RedCharts";
import charts from "../RedCharts.module.css";
import { errorLevel } from "../rows";
import type { MapView } from "../url";
import { errorsText, latencyText, rateWith } from "../words";
import { bucketS, edgeQueries, windowFor } from "./edgeQueries";
import styles from "./MapDrawer.module.css";

interface EdgeChartsProps {
  node: MapNode;
  view: MapView;
  span: Span;
  generation: number;
  onZoom: (span: Span) => void;
  onZoomBack: () => void;
}

const widthPx = 340;
const heightPx = 88;

/** Rate, errors and latency of what sends no spans, by those of its callers. */
export function EdgeCharts({ node, view, span, generation, onZoom, onZoomBack }: EdgeChartsProps) {
  const stepS = stepFor(span.endMs - span.startMs, widthPx, bucketS);
  const grid = gridOf(span, stepS);
  const texts = edgeQueries(node.id, windowFor(stepS));
  const answers = useRanges(
    [texts.rate, texts.errors, texts.p95].map((text) => ({ text, grid, generation, enabled: true })),
  );
  const level = errorLevel(node.errors);
  const [rate, errors, p95] = answers.map(({ data }, at): ChartSeries[] => {
    const points = data?.series[0];
    const label = ["rate", "errors", "p95"][at] ?? "";
    const colour = at === 2 ? 1 : at === 1 && level ? `var(--${level}-mark)` : "var(--text-2)";
    return points ? [{ label, values: onGrid(points, grid), colour }] : [];
  });
  const error = answers.find((one) => one.error)?.error ?? null;
  const most = extentOf((errors ?? []).map(({ values }) => values))?.max ?? 0;
  const slowest = extentOf((p95 ?? []).map(({ values }) => values))?.max ?? 0;
  const common = {
    times: gridTimes(grid),
    zone: view.zone,
    span,
    height: heightPx,
    legend: "hidden" as const,
    onZoom,
    onZoomBack,
  };
  return (
    <>
      {error && (
        <p className={styles.note} role="alert">
          {sentence(error.message)}
        </p>
      )}
      <div className={charts.charts} data-small="true">
        <ChartFrame title="Rate" note="per second" small value={rateWith(node.rate, node.type)}>
          <TimeSeriesChart name="Rate" series={rate ?? []} {...common} />
        </ChartFrame>
        <ChartFrame title="Errors" note="%" small value={errorsText(node.errors)} level={level}>
          <TimeSeriesChart
            name="Errors"
            series={errors ?? []}
            unit="percentunit"
            {...(most < 0.01 && { max: 0.01 })}
            {...common}
          />
        </ChartFrame>
        <ChartFrame title="Latency p95" note={unitLabel("s", slowest)} small value={latencyText(node.p95_ns)}>
          <TimeSeriesChart name="Latency p95" series={p95 ?? []} unit="s" {...common} />
        </ChartFrame>
      </div>
    </>
  );
}
