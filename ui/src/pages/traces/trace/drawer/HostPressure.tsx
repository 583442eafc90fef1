import { useMemo, useState } from "react";
import { TimeSeriesChart } from "../../../../components/chart/TimeSeriesChart";
import { useRanges } from "../../../../components/chart/useAnswers";
import type { Annotation, ChartSeries } from "../../../../lib/chart/series";
import { gridOf, gridTimes, onGrid, rateInterval, stepFor } from "../../../../lib/promql/range";
import { formatNanos } from "../../../../lib/time/nanosText";
import type { Zone } from "../../../../lib/time/zone";
import { sentence } from "../../../../lib/words";
import { hostCharts } from "../../../hosts/queries";
import { aroundSpan, HostLink } from "./HostLink";
import styles from "./SpanDrawer.module.css";

interface HostPressureProps {
  host: string;
  startMs: number;
  endMs: number;
  zone: Zone;
}

const values = 80;
const heightPx = 112;

/** Did the span wait for its machine? What the host's tasks were stalled on, with the span's time as a band. */
export function HostPressure({ host, startMs, endMs, zone }: HostPressureProps) {
  const around = aroundSpan(startMs, endMs);
  // What lies ahead is no gap.
  const [nowMs] = useState(Date.now);
  const span = { startMs: around.startMs, endMs: Math.max(Math.ceil(endMs), Math.min(around.endMs, nowMs)) };
  const stepS = stepFor(span.endMs - span.startMs, values);
  const grid = gridOf(span, stepS);
  const spec = hostCharts(host, `${rateInterval(stepS)}s`).find(({ id }) => id === "pressure");
  const queries = spec?.queries ?? [];
  const answers = useRanges(queries.map(({ text }) => ({ text, grid, generation: 0, enabled: true })));
  const datas = answers.map(({ data }) => data);
  const { startS, endS } = grid;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the answers one by one
  const series = useMemo(() => {
    const drawn: ChartSeries[] = [];
    for (const [at, data] of datas.entries()) {
      const points = data?.series.find(({ times }) => times.length > 0);
      const legend = queries[at]?.legend ?? "";
      if (points)
        drawn.push({ label: legend, values: onGrid(points, grid), colour: queries[at]?.colours?.[legend] });
    }
    return drawn;
  }, [...datas, startS, endS, stepS]);
  const times = useMemo(() => gridTimes({ startS, endS, stepS }), [startS, endS, stepS]);
  const band = useMemo(
    (): Annotation[] => [
      {
        time: startMs / 1000,
        endTime: endMs / 1000,
        text: `this span, ${formatNanos((endMs - startMs) * 1e6)}`,
        accent: true,
      },
    ],
    [startMs, endMs],
  );
  const error = answers.find((answer) => answer.error)?.error ?? null;
  return (
    <section className={styles.section} aria-label={`${host} during the span`}>
      <div className={styles.sectionHead}>
        <h3>{host} during the span</h3>
        <span className="text3 small">pressure, % stalled</span>
        <span className="grow" />
        <span className="small">
          <HostLink host={host} startMs={startMs} endMs={endMs} zone={zone}>
            Open host
          </HostLink>
        </span>
      </div>
      {series.length > 0 ? (
        <TimeSeriesChart
          name={`Pressure of ${host}`}
          series={series}
          times={times}
          unit="percentunit"
          zone={zone}
          span={span}
          height={heightPx}
          annotations={band}
          legend="list"
        />
      ) : error ? (
        <p className={styles.note} role="alert">
          {sentence(error.message)}
        </p>
      ) : answers.some(({ isPending }) => isPending) ? (
        <div className={`skeleton ${styles.skeleton}`} />
      ) : (
        <p className={styles.note}>
          No agent on {host} sent pressure at that time. Where one runs, the waits of its CPU, memory and IO
          are here.
        </p>
      )}
    </section>
  );
}
