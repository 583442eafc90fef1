import { Link } from "@tanstack/react-router";
import { useMemo, useRef } from "react";
import type { RangeAnswer } from "../../api/prometheus";
import { TimeSeriesChart } from "../../components/chart/TimeSeriesChart";
import { useAnswersHeld } from "../../components/chart/useAnswersHeld";
import { useVisible } from "../../components/chart/useVisible";
import { PartialTag } from "../../components/PartialTag";
import { type ChartSeries, extentOf, stackValues } from "../../lib/chart/series";
import { legendNames } from "../../lib/promql/legend";
import { type Grid, gridTimes, onGrid } from "../../lib/promql/range";
import { absoluteRange, type Span } from "../../lib/time/range";
import type { Zone } from "../../lib/time/zone";
import { unitLabel } from "../../lib/units";
import { sentence } from "../../lib/words";
import { encodeMetricsView, plainView } from "../metrics/url";
import styles from "./HostPage.module.css";
import type { ChartSpec } from "./queries";

interface HostChartProps {
  spec: ChartSpec;
  grid: Grid;
  span: Span;
  zone: Zone;
  generation: number;
  enabled: boolean;
  onRetry: () => void;
  onZoom: (span: Span) => void;
  onZoomBack: () => void;
}

const heightPx = 132;

/** One chart of a host; it asks when it is on the screen. */
export function HostChart(props: HostChartProps) {
  const { spec, grid, span, zone, generation, enabled, onRetry, onZoom, onZoomBack } = props;
  const frame = useRef<HTMLElement>(null);
  const visible = useVisible(frame, 400);
  const answers = useAnswersHeld(
    spec.queries.map(({ text }) => ({ text, grid, generation, enabled: enabled && visible })),
  );
  const datas = answers.map(({ data }) => data);
  const { startS, endS, stepS } = grid;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the answers one by one, and the spec by its id
  const series = useMemo(
    () => seriesOf(spec, datas, { startS, endS, stepS }),
    [...datas, spec.id, startS, endS, stepS],
  );
  const times = useMemo(() => gridTimes({ startS, endS, stepS }), [startS, endS, stepS]);
  const error = answers.find((answer) => answer.error)?.error ?? null;
  const pending = answers.some(({ isPending }) => isPending);
  const warnings = [...new Set(datas.flatMap((data) => data?.warnings ?? []))];
  const extent = extentOf(spec.stack ? stackValues(series) : series.map(({ values }) => values));
  const unit = extent ? unitLabel(spec.unit, Math.max(spec.max ?? 0, extent.max)) : "";
  return (
    <section ref={frame} className={`panel ${styles.chart}`} data-width={spec.width} aria-label={spec.title}>
      <div className={styles.head}>
        <h2>{spec.title}</h2>
        <span className={styles.sub}>{[unit, spec.note].filter(Boolean).join(", ")}</span>
        <span className="grow" />
        <PartialTag warnings={warnings} />
        <Link
          to="/explore"
          search={encodeMetricsView({
            ...plainView,
            queries: spec.queries.map(({ text, legend }) => ({ text, legend, hidden: false })),
            range: absoluteRange(span),
            zone,
            stack: spec.stack ?? false,
          })}
          className={styles.query}
        >
          Query
        </Link>
      </div>
      {series.length > 0 ? (
        <TimeSeriesChart
          name={spec.title}
          series={series}
          times={times}
          unit={spec.unit}
          zone={zone}
          span={span}
          height={heightPx}
          legendPx={76}
          stack={spec.stack ?? false}
          zero={spec.zero ?? true}
          max={spec.max}
          thresholds={spec.thresholds}
          onZoom={onZoom}
          onZoomBack={onZoomBack}
        />
      ) : error ? (
        <p className={styles.empty} role="alert">
          {sentence(error.message)}{" "}
          <button type="button" className="link" onClick={onRetry}>
            Try again
          </button>
        </p>
      ) : pending ? (
        <div className={`skeleton ${styles.skeleton}`} />
      ) : (
        <p className={styles.empty}>{spec.absent}</p>
      )}
    </section>
  );
}

function seriesOf(spec: ChartSpec, answers: (RangeAnswer | undefined)[], grid: Grid): ChartSeries[] {
  const series: ChartSeries[] = [];
  for (const [at, { legend, colours, text }] of spec.queries.entries()) {
    const points = (answers[at]?.series ?? []).filter(({ times }) => times.length > 0);
    const names = legendNames(
      points.map(({ labels }) => labels),
      legend,
      text,
    );
    for (const [place, found] of points.entries()) {
      const label = names[place] ?? legend;
      series.push({ label, values: onGrid(found, grid), colour: colours?.[label] });
    }
  }
  // As the palette lists them, so that a stack has the same order on every host.
  const order = spec.queries.flatMap((query) => Object.keys(query.colours ?? {}));
  const placeOf = (label: string) => (order.includes(label) ? order.indexOf(label) : order.length);
  return series.sort((a, b) => placeOf(a.label) - placeOf(b.label) || a.label.localeCompare(b.label));
}
