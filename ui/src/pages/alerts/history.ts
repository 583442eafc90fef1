// What an alert did over a day: cells of a strip, and spans of a chart. Pure.
import type { Alert, AlertSpan, Labels } from "../../api/alerts";
import type { Points } from "../../api/prometheus";
import type { Annotation } from "../../lib/chart/series";
import { type Grid, gridOf } from "../../lib/promql/range";

export type Cell = "firing" | "pending" | null;

export const stripHours = 24;
const cellS = 1800;

/** The ends of the cells; the last one holds now. */
export function stripGrid(nowMs: number): Grid {
  const endMs = Math.ceil(nowMs / 1000 / cellS) * cellS * 1000;
  return gridOf({ startMs: endMs - (stripHours * 3600 - cellS) * 1000, endMs }, cellS);
}

/** Was the alert in a state at any moment of each cell? Of so many names, a query would be longer than its answer. */
export function stripQuery(names: string[], limit = 60): string | null {
  if (names.length === 0) return null;
  const escaped = names.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const of = names.length > limit ? "" : `{alertname=~${JSON.stringify(escaped.join("|"))}}`;
  return `count_over_time(ALERTS${of}[${cellS}s])`;
}

/** The cells of each alert, by `keyOf` its labels. */
export function cellsOf(series: Points[], { startS, endS, stepS }: Grid): Map<string, Cell[]> {
  const found = new Map<string, Cell[]>();
  const count = Math.round((endS - startS) / stepS) + 1;
  for (const { labels, times } of series) {
    const { alertstate, ...own } = labels;
    if (alertstate !== "firing" && alertstate !== "pending") continue;
    const key = keyOf(own);
    const cells = found.get(key) ?? new Array<Cell>(count).fill(null);
    for (const time of times) {
      const at = Math.round((time - startS) / stepS);
      if (at >= 0 && at < count && cells[at] !== "firing") cells[at] = alertstate;
    }
    found.set(key, cells);
  }
  return found;
}

export function keyOf(labels: Labels): string {
  const { __name__: _, ...others } = labels;
  return JSON.stringify(Object.entries(others).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Of an alert without a rule of ours, whose past nobody wrote down: what its own times say. */
export function cellsByTimes(alert: Alert, { startS, endS, stepS }: Grid): Cell[] {
  const from = Date.parse(alert.starts_at) / 1000;
  const to = alert.ends_at === null || alert.state !== "resolved" ? endS : Date.parse(alert.ends_at) / 1000;
  const state: Cell = alert.state === "pending" ? "pending" : "firing";
  const cells: Cell[] = [];
  for (let end = startS; end <= endS; end += stepS)
    cells.push(from <= end && to > end - stepS ? state : null);
  return cells;
}

/** Both: what the series say, and what is known of this moment. */
export function mergedCells(one: Cell[] | undefined, other: Cell[]): Cell[] {
  return other.map((cell, at) => (one?.[at] === "firing" ? "firing" : (cell ?? one?.[at] ?? null)));
}

/** "fired in 3 of 48 half hours" as a sentence for who cannot see the strip. */
export function stripSentence(cells: Cell[]): string {
  const hours = (cell: Cell) => (cells.filter((one) => one === cell).length * cellS) / 3600;
  const [firing, pending] = [hours("firing"), hours("pending")];
  if (firing + pending === 0) return `Quiet in the last ${stripHours} hours`;
  const parts = [firing > 0 && `firing in ${firing} h`, pending > 0 && `pending in ${pending} h`];
  return `Of the last ${stripHours} hours ${parts.filter(Boolean).join(", ")}`;
}

/** The bands of a chart; the last firing one has its word written. */
export function bandsOf(history: AlertSpan[], band: "crit" | "warn" | "info", nowMs: number): Annotation[] {
  const last = history.reduce((found, { state, from }, at) => {
    const known = history[found];
    return state === "firing" && (!known || Date.parse(from) > Date.parse(known.from)) ? at : found;
  }, -1);
  return history.map(({ from, to, state }, at) => ({
    time: Date.parse(from) / 1000,
    endTime: (to === null ? nowMs : Date.parse(to)) / 1000,
    text: state,
    band: state === "pending" ? "pending" : band,
    important: at === last,
  }));
}
