// What a chart says to who cannot see it, and what its tooltip and legend list.
import { formatClock, formatDay, needsDays } from "../time/format";
import type { Zone } from "../time/zone";
import { formatValue } from "../units";
import { type ChartSeries, lastValue } from "./series";

/** "CPU rose from 3 to 58 %, highest 61 % at 10:04:10." */
export function describeChart(series: ChartSeries[], times: number[], unit: string, zone: Zone): string {
  const [first, last] = [times[0], times.at(-1)];
  if (first === undefined || last === undefined || series.every(({ values }) => lastValue(values) === null))
    return "No data.";
  const clock = clockOf(times, zone);
  const peak = peakOf(series);
  const highest = peak
    ? `highest ${formatValue(peak.value, peak.series.unit ?? unit)} at ${clock(times[peak.at] ?? last)}`
    : "";
  const only = series.length === 1 ? series[0] : undefined;
  if (only) return `${only.label} ${changeOf(only.values, only.unit ?? unit)}, ${highest}.`;
  return `${series.length} series from ${clock(first)} to ${clock(last)}; ${highest}${peak ? `, ${peak.series.label}` : ""}.`;
}

/** A clock for these times, with the day where they pass midnight. */
export function clockOf(times: number[], zone: Zone): (seconds: number) => string {
  const span = { startMs: (times[0] ?? 0) * 1000, endMs: (times.at(-1) ?? 0) * 1000 + 1 };
  const days = needsDays(span, zone);
  return (seconds) => {
    const ms = seconds * 1000;
    return days ? `${formatDay(ms, zone).slice(5)} ${formatClock(ms, zone)}` : formatClock(ms, zone);
  };
}

export interface ValueRow<S> {
  series: S;
  value: number;
}

/** The values at one time, the highest first, and how many more there are than `limit`. */
export function rowsAt<S extends ChartSeries>(
  series: S[],
  at: number,
  limit: number,
): { rows: ValueRow<S>[]; more: number } {
  const rows = series
    .map((one) => ({ series: one, value: one.values[at] ?? null }))
    .filter((row): row is ValueRow<S> => row.value !== null)
    .sort((a, b) => b.value - a.value);
  return { rows: rows.slice(0, limit), more: Math.max(0, rows.length - limit) };
}

/** The highest first; what has no value last. */
export function byValue<S extends ChartSeries>(series: S[], value: (one: S) => number | null): S[] {
  const of = new Map(series.map((one) => [one, value(one) ?? Number.NEGATIVE_INFINITY]));
  return [...series].sort((a, b) => (of.get(b) ?? 0) - (of.get(a) ?? 0));
}

function changeOf(values: (number | null)[], unit: string): string {
  const start = values.find((value) => value !== null) ?? null;
  const end = lastValue(values);
  if (start === null || end === null) return "has no value";
  const [from, to] = [formatValue(start, unit), formatValue(end, unit)];
  if (from === to) return `is ${to}`;
  return `${end > start ? "rose" : "fell"} from ${from} to ${to}`;
}

function peakOf(series: ChartSeries[]): { series: ChartSeries; at: number; value: number } | null {
  let peak: { series: ChartSeries; at: number; value: number } | null = null;
  for (const one of series)
    one.values.forEach((value, at) => {
      if (value !== null && (peak === null || value > peak.value)) peak = { series: one, at, value };
    });
  return peak;
}
