// Answers of range queries that a refresh can go on from: only the tail is asked for anew.
import type { Labels, Points, RangeAnswer } from "../../api/prometheus";
import type { Grid } from "./range";

interface Entry {
  startS: number;
  endS: number;
  /** When its oldest part was asked for. */
  askedMs: number;
  answer: RangeAnswer;
}

/** Values may come late; what is younger is asked for again. */
const overlapS = 60;
/** After so long the whole range is asked for again: values may have been written back, or deleted. */
const maxAgeMs = 5 * 60_000;
const maxEntries = 200;

export class RangeCache {
  private readonly entries = new Map<string, Entry>();

  /** Answers for the grid by asking `fetch` for as little of it as is needed. */
  async answer(
    query: string,
    grid: Grid,
    nowMs: number,
    fetch: (grid: Grid) => Promise<RangeAnswer>,
  ): Promise<RangeAnswer> {
    const key = `${grid.stepS} ${query}`;
    const known = this.entries.get(key);
    const from = known && nowMs - known.askedMs < maxAgeMs ? tailStart(known, grid) : null;
    if (known === undefined || from === null) {
      const answer = await fetch(grid);
      this.keep(key, { startS: grid.startS, endS: grid.endS, askedMs: nowMs, answer });
      return answer;
    }
    const tail = await fetch({ ...grid, startS: from });
    const answer = join(known.answer, tail, grid, from);
    this.keep(key, { startS: grid.startS, endS: grid.endS, askedMs: known.askedMs, answer });
    return answer;
  }

  clear(): void {
    this.entries.clear();
  }

  private keep(key: string, entry: Entry): void {
    // A partial answer is nothing to build on.
    this.entries.delete(key);
    if (entry.answer.warnings.length > 0) return;
    this.entries.set(key, entry);
    const oldest = this.entries.keys().next();
    if (this.entries.size > maxEntries && !oldest.done) this.entries.delete(oldest.value);
  }
}

/** From where the grid has to be asked for; null: from its start. */
function tailStart(known: Entry, grid: Grid): number | null {
  if (grid.startS < known.startS || grid.endS < known.endS) return null;
  const overlapSteps = Math.max(1, Math.ceil(overlapS / grid.stepS));
  const from = known.endS - (overlapSteps - 1) * grid.stepS;
  return from > grid.startS ? from : null;
}

function join(known: RangeAnswer, tail: RangeAnswer, grid: Grid, fromS: number): RangeAnswer {
  const joined = new Map<string, Points>();
  for (const points of known.series) joined.set(keyOf(points.labels), part(points, grid.startS, fromS));
  for (const points of tail.series) {
    const key = keyOf(points.labels);
    const before = joined.get(key);
    joined.set(
      key,
      before
        ? {
            labels: points.labels,
            times: [...before.times, ...points.times],
            values: [...before.values, ...points.values],
            histograms: before.histograms || points.histograms,
          }
        : points,
    );
  }
  const series = [...joined.values()].filter((points) => points.times.length > 0 || points.histograms);
  return { series, warnings: tail.warnings, infos: tail.infos };
}

function part({ labels, times, values, histograms }: Points, startS: number, endS: number): Points {
  let from = 0;
  while (from < times.length && (times[from] ?? 0) < startS - 1e-3) from += 1;
  let to = times.length;
  while (to > from && (times[to - 1] ?? 0) >= endS - 1e-3) to -= 1;
  return { labels, times: times.slice(from, to), values: values.slice(from, to), histograms };
}

function keyOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}
