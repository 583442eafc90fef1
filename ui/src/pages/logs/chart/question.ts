// What the chart tab asks: the query's own table over time, or counts of what its filter finds. Pure.
import type { Column, ResultTable } from "../../../api/logs";
import { filterOnly } from "../../../lib/query/edit";
import { lexQuery } from "../../../lib/query/lex";
import type { Span } from "../../../lib/time/range";

/** As `bin` writes them; each divides the next but for a few, so that bars stay where they are while zooming. */
const bins: [ms: number, text: string][] = [
  [100, "100ms"],
  [1000, "1s"],
  [2000, "2s"],
  [5000, "5s"],
  [10_000, "10s"],
  [15_000, "15s"],
  [30_000, "30s"],
  [60_000, "1m"],
  [120_000, "2m"],
  [300_000, "5m"],
  [600_000, "10m"],
  [1_800_000, "30m"],
  [3_600_000, "1h"],
  [10_800_000, "3h"],
  [21_600_000, "6h"],
  [86_400_000, "1d"],
  [604_800_000, "1w"],
];
const mostBins = 120;

export interface ChartQuestion {
  query: string;
  stepMs: number;
}

/** Counts of what the filter finds, over time and by a field. */
export function countQuestion(query: string, by: string | null, { startMs, endMs }: Span): ChartQuestion {
  const [stepMs, bin] = bins.find(([ms]) => (endMs - startMs) / ms <= mostBins) ?? [604_800_000, "1w"];
  const groups = by === null ? `bin(${bin})` : `(bin(${bin}), ${by})`;
  return { query: `${filterOnly(query)} | stats count() by ${groups}`, stepMs };
}

/** Can this table be drawn over time? */
export function hasTime(table: ResultTable | null | undefined): boolean {
  return (
    table?.columns.some(({ kind }) => kind === "time") === true &&
    table.columns.some(({ kind }) => kind === "number")
  );
}

export interface TableColumns {
  time: number;
  /** Their values together name a line. */
  labels: number[];
  /** Each has a line of its own for every name. */
  values: number[];
}

/** A field that is grouped by may hold numbers as well: only the query tells it from what was counted. */
export function columnsOf(columns: Column[], query: string): TableColumns {
  const groups = groupNames(query);
  const at = columns.map((_, index) => index);
  const kindOf = (index: number) => columns[index]?.kind;
  const isGroup = (index: number) => groups.includes(columns[index]?.name ?? "");
  const time = at.find((index) => kindOf(index) === "time") ?? -1;
  const values = at.filter((index) => kindOf(index) === "number" && !isGroup(index));
  return { time, values, labels: at.filter((index) => index !== time && !values.includes(index)) };
}

/** What stands behind the `by` of `stats`. */
export function groupNames(query: string): string[] {
  const tokens = lexQuery(query);
  const word = (at: number) => query.slice(tokens[at]?.start ?? 0, tokens[at]?.end ?? 0);
  const stats = tokens.findIndex(({ kind }, at) => kind === "verb" && word(at) === "stats");
  const by = tokens.findIndex((_, at) => at > stats && word(at) === "by");
  if (stats < 0 || by < 0) return [];
  const pipe = tokens.findIndex((_, at) => at > by && word(at) === "|");
  const end = pipe < 0 ? query.length : (tokens[pipe]?.start ?? query.length);
  const text = query.slice(tokens[by]?.end ?? 0, end).trim();
  const list = text.startsWith("(") ? text.slice(1, text.lastIndexOf(")")) : text;
  return list.split(",").map((name) => name.trim().replace(/^"(.*)"$/, "$1"));
}
