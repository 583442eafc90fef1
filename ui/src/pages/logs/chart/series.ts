// A table over time as what a chart draws. Pure.
import type { ResultTable } from "../../../api/logs";
import { byValue } from "../../../lib/chart/describe";
import { type ChartSeries, totalOf } from "../../../lib/chart/series";
import { type Json, oneLine } from "../../../lib/json";
import { isSeverity, severityRole } from "../../../lib/severity";
import type { Span } from "../../../lib/time/range";
import { columnsOf } from "./question";

export interface ChartData {
  /** Seconds. */
  times: number[];
  series: ChartSeries[];
  /** What is drawn is how many there are: nothing is none, and heights may be added. */
  counts: boolean;
}

/** More steps than this are no chart; such a table came from a `bin` that is much too narrow for its range. */
const mostSteps = 20_000;

/** null: there is nothing to draw. `stepMs` where it is known. */
export function seriesOf(
  table: ResultTable,
  query: string,
  span: Span,
  stepMs: number | null,
): ChartData | null {
  const { time, labels, values } = columnsOf(table.columns, query);
  if (time < 0 || values.length === 0) return null;
  const rows = table.rows.flatMap((row) => {
    const ms = Date.parse(String(row[time]));
    return Number.isNaN(ms) ? [] : [{ ms, row }];
  });
  if (rows.length === 0) return null;
  const step = stepMs ?? binOf(table.columns[time]?.name ?? "") ?? smallestStep(rows.map(({ ms }) => ms));
  const startMs = Math.floor(Math.min(rows[0]?.ms ?? 0, span.startMs) / step) * step;
  const steps = Math.ceil((span.endMs - startMs) / step);
  if (steps > mostSteps || steps < 1) return null;
  const counts = values.every((at) => /^count\(/.test(table.columns[at]?.name ?? ""));
  const found = new Map<string, ChartSeries>();
  for (const { ms, row } of rows) {
    const place = Math.round((ms - startMs) / step);
    if (place < 0 || place >= steps) continue;
    for (const at of values) {
      const measure = values.length > 1 || labels.length === 0 ? [table.columns[at]?.name ?? ""] : [];
      const parts = [...labels.map((label) => textOf(row[label] ?? null)), ...measure];
      const name = parts.join(" · ");
      const series = found.get(name) ?? {
        label: name,
        values: new Array<number | null>(steps).fill(counts ? 0 : null),
        ...severityColour(table, labels, parts[0]),
      };
      const value = row[at];
      series.values[place] = typeof value === "number" ? value : null;
      found.set(name, series);
    }
  }
  const times = Array.from({ length: steps }, (_, at) => (startMs + (at + 0.5) * step) / 1000);
  return { times, series: byValue([...found.values()], ({ values }) => totalOf(values)), counts };
}

function textOf(value: Json): string {
  if (value === null) return "(none)";
  return value === "" ? "(empty)" : oneLine(value);
}

/** Severities have colours of their own, everywhere. */
function severityColour(table: ResultTable, labels: number[], name: string | undefined) {
  const only = labels.length === 1 ? table.columns[labels[0] ?? -1]?.name : null;
  return only === "severity" && name !== undefined && isSeverity(name)
    ? { colour: `var(--${severityRole[name]})` }
    : {};
}

const units: Record<string, number> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** The width in the name of a column such as `bin(5m)`. */
export function binOf(name: string): number | null {
  const match = /^bin\((\d+)(ms|s|m|h|d|w)\)$/.exec(name);
  return match ? Number(match[1]) * (units[match[2] ?? ""] ?? 0) || null : null;
}

function smallestStep(times: number[]): number {
  const sorted = [...new Set(times)].sort((a, b) => a - b);
  let least = Number.POSITIVE_INFINITY;
  for (let at = 1; at < sorted.length; at += 1)
    least = Math.min(least, (sorted[at] ?? 0) - (sorted[at - 1] ?? 0));
  return Number.isFinite(least) ? least : 60_000;
}
