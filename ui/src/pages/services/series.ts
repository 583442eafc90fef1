// What the charts of one service draw.
import type { Series } from "../../api/services";
import type { ChartSeries } from "../../lib/chart/series";

export interface RedSeries {
  /** Seconds. */
  times: number[];
  rate: ChartSeries[];
  errors: ChartSeries[];
  latency: ChartSeries[];
}

export function redSeries(series: Series, errorColour: string): RedSeries {
  // A value is of a whole step; it stands in its middle.
  const startS = Date.parse(series.start) / 1000 + series.step_s / 2;
  const seconds = (values: (number | null)[]) => values.map((ns) => (ns === null ? null : ns / 1e9));
  return {
    times: series.rate.map((_, at) => startS + at * series.step_s),
    rate: [{ label: "rate", values: series.rate, colour: "var(--text-2)" }],
    errors: [{ label: "errors", values: series.errors, colour: errorColour }],
    latency: [
      { label: "p50", values: seconds(series.p50_ns), colour: 6 },
      { label: "p95", values: seconds(series.p95_ns), colour: 1 },
      { label: "p99", values: seconds(series.p99_ns), colour: 2 },
    ],
  };
}
