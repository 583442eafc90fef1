import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import type { AlertWithHistory } from "../../api/alerts";
import type { Points } from "../../api/prometheus";
import { TimeSeriesChart } from "../../components/chart/TimeSeriesChart";
import { useRanges } from "../../components/chart/useAnswers";
import { PartialTag } from "../../components/PartialTag";
import type { ChartSeries, Thresholds } from "../../lib/chart/series";
import { legendNames } from "../../lib/promql/legend";
import { type Grid, gridOf, gridTimes, onGrid, stepFor } from "../../lib/promql/range";
import { absoluteRange, type Span } from "../../lib/time/range";
import type { Zone } from "../../lib/time/zone";
import { unitLabel } from "../../lib/units";
import { sentence } from "../../lib/words";
import { encodeMetricsView, plainView } from "../metrics/url";
import styles from "./AlertPage.module.css";
import { bandsOf } from "./history";
import { limitText, severityLevel, unitOf } from "./model";
import { ofAlert } from "./series";

export interface AlertChartProps {
  alert: AlertWithHistory;
  span: Span;
  nowMs: number;
  zone: Zone;
  generation: number;
  onZoom: (span: Span) => void;
  onZoomBack: () => void;
}

interface QueryChartProps extends AlertChartProps {
  every: boolean;
  onEvery: (every: boolean) => void;
}

export const chartPx = 200;
const chartPoints = 400;

/** What the rule looks at, with its limit as a line and the alert's own times as bands. */
export function AlertChart(props: QueryChartProps) {
  const { alert, span, nowMs, zone, generation, every, onEvery, onZoom, onZoomBack } = props;
  const text = alert.threshold?.query ?? alert.rule?.query ?? null;
  const grid = gridOf(span, stepFor(span.endMs - span.startMs, chartPoints));
  const [answer] = useRanges([{ text, grid, generation, enabled: text !== null }]);
  const { startS, endS, stepS } = grid;
  const found = answer?.data?.series;
  const own = useMemo(() => ofAlert(found ?? [], alert), [found, alert]);
  const chosen = every ? (found ?? []) : own;
  const series = useMemo(
    () => chartSeries(chosen, text ?? "", { startS, endS, stepS }),
    [chosen, text, startS, endS, stepS],
  );
  const times = useMemo(() => gridTimes({ startS, endS, stepS }), [startS, endS, stepS]);
  const thresholds = useMemo(() => limitsOf(alert), [alert]);
  const bands = useMemo(() => bandsOf(alert.history, severityLevel(alert), nowMs), [alert, nowMs]);
  if (text === null) return <ForeignRule />;
  const unit = unitOf(alert);
  const top = Math.max(...series.flatMap(({ values }) => values.map((value) => value ?? 0)), 0);
  return (
    <section className={`panel ${styles.chart}`} aria-label="Query">
      <div className={styles.panelHead}>
        <h3>Query</h3>
        <span className="text3 small">{unitLabel(unit, top)}</span>
        <span className="grow" />
        <PartialTag warnings={answer?.data?.warnings ?? []} />
        {(found?.length ?? 0) > own.length && (
          <button
            type="button"
            className="button button-quiet button-small"
            aria-pressed={every}
            onClick={() => onEvery(!every)}
          >
            {every ? "Only this alert" : `All ${found?.length} series`}
          </button>
        )}
        <Link
          to="/explore"
          search={encodeMetricsView({
            ...plainView,
            queries: [{ text, legend: "", hidden: false }],
            range: absoluteRange(span),
            zone,
          })}
          className="link small"
        >
          Open in Metrics
        </Link>
      </div>
      <p className={`mono ${styles.query}`}>{alert.rule?.query ?? text}</p>
      {series.length > 0 ? (
        <TimeSeriesChart
          name="Query"
          series={series}
          times={times}
          unit={unit}
          zone={zone}
          span={span}
          height={chartPx}
          legendPx={96}
          fill={0}
          thresholds={thresholds}
          annotations={bands}
          onZoom={onZoom}
          onZoomBack={onZoomBack}
        />
      ) : answer?.error ? (
        <p className={styles.empty} role="alert">
          {sentence(answer.error.message)}
        </p>
      ) : answer?.isPending ? (
        <div className={`skeleton ${styles.skeleton}`} />
      ) : (
        <p className={styles.empty}>The query finds no series in this time.</p>
      )}
    </section>
  );
}

function ForeignRule() {
  return (
    <section className={`panel ${styles.chart}`} aria-label="Query">
      <div className={styles.panelHead}>
        <h3>Query</h3>
      </div>
      <p className={styles.empty}>
        The alert was sent here by another program; its rule is not known, so that there is no chart.
      </p>
    </section>
  );
}

function limitsOf(alert: AlertWithHistory): Thresholds[] {
  const { threshold } = alert;
  if (!threshold) return [];
  return [
    {
      value: threshold.value,
      kind: severityLevel(alert),
      label: `limit ${limitText(alert)}`,
      always: true,
    },
  ];
}

function chartSeries(points: Points[], query: string, grid: Grid): ChartSeries[] {
  const drawn = points.filter(({ times }) => times.length > 0);
  const names = legendNames(
    drawn.map(({ labels }) => labels),
    "",
    query,
  );
  const alone = drawn.length === 1;
  return drawn.map((one, at) => ({
    label: names[at] ?? query,
    values: onGrid(one, grid),
    // The one line that the page is about is text, so that limit and bands carry the meaning.
    ...(alone && { colour: "var(--text)" }),
  }));
}
