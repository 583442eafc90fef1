import { type ReactNode, useMemo } from "react";
import type { ServiceAnswer } from "../../api/services";
import { TimeSeriesChart } from "../../components/chart/TimeSeriesChart";
import type { Exemplar } from "../../lib/chart/exemplars";
import { type Annotation, extentOf } from "../../lib/chart/series";
import type { Span } from "../../lib/time/range";
import type { Zone } from "../../lib/time/zone";
import { unitLabel } from "../../lib/units";
import styles from "./RedCharts.module.css";
import { errorLevel, type Level } from "./rows";
import { redSeries } from "./series";
import { errorsText, latencyText, rateWith } from "./words";

interface RedChartsProps {
  answer: ServiceAnswer;
  span: Span;
  zone: Zone;
  exemplars: Exemplar[];
  /** What happened in the time, on each of them. */
  annotations?: Annotation[] | undefined;
  /** In a drawer: low, one below the other, the p95 alone. */
  small?: boolean;
  onZoom: (span: Span) => void;
  onZoomBack: () => void;
}

const heightPx = 160;
/** Of a legend of one line, which only the latency has. */
const legendPx = 30;
const smallPx = 88;

/** Rate, errors and latency of one service, with one cursor. */
export function RedCharts(props: RedChartsProps) {
  const { answer, span, zone, exemplars, annotations, small = false, onZoom, onZoomBack } = props;
  const level = errorLevel(answer.errors);
  const errorColour = level ? `var(--${level}-mark)` : "var(--text-2)";
  const red = useMemo(() => redSeries(answer.series, errorColour), [answer.series, errorColour]);
  const latency = small ? red.latency.filter(({ label }) => label === "p95") : red.latency;
  const slowest = extentOf(latency.map(({ values }) => values))?.max ?? 0;
  const unit = unitLabel("s", slowest);
  const most = extentOf(red.errors.map(({ values }) => values))?.max ?? 0;
  const height = small ? smallPx : heightPx + legendPx;
  const common = { times: red.times, zone, span, height, annotations, onZoom, onZoomBack };
  return (
    <div className={styles.charts} data-small={small}>
      <ChartFrame title="Rate" note="per second" small={small} value={rateWith(answer.rate, "service")}>
        <TimeSeriesChart name="Rate" series={red.rate} legend="hidden" {...common} />
      </ChartFrame>
      <ChartFrame title="Errors" note="%" small={small} value={errorsText(answer.errors)} level={level}>
        <TimeSeriesChart
          name="Errors"
          series={red.errors}
          unit="percentunit"
          legend="hidden"
          // A chart of nothing at all must not reach to 100 %.
          {...(most < 0.01 && { max: 0.01 })}
          {...common}
        />
      </ChartFrame>
      <ChartFrame
        title={small ? "Latency p95" : "Latency"}
        note={unit}
        small={small}
        value={small ? latencyText(answer.p95_ns) : ""}
      >
        <TimeSeriesChart
          name={small ? "Latency p95" : "Latency"}
          series={latency}
          unit="s"
          legend={small ? "hidden" : "list"}
          exemplars={exemplars}
          {...common}
          height={small ? smallPx : heightPx}
        />
      </ChartFrame>
    </div>
  );
}

interface ChartProps {
  title: string;
  note: string;
  value: string;
  level?: Level;
  small: boolean;
  children: ReactNode;
}

export function ChartFrame({ title, note, value, level = null, small, children }: ChartProps) {
  return (
    <section className={small ? styles.chart : `panel ${styles.chart}`} aria-label={title}>
      <div className={styles.head}>
        {small ? <h3>{title}</h3> : <h2>{title}</h2>}
        <span className="text3 small">{note}</span>
        <span className="grow" />
        <span className={`tabular ${styles.value}`} data-level={level ?? undefined}>
          {value}
        </span>
      </div>
      {children}
    </section>
  );
}
