// Range queries on a grid of times: how wide a step is, which part of an answer is known, one row of times for all.

/** Below the usual scrape interval nothing new would be seen. */
export const minStepS = 15;
const niceSteps = [
  1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
  172_800, 604_800,
];

/** A round step that gives about one value per pixel at most. */
export function stepFor(spanMs: number, widthPx: number, leastS = minStepS): number {
  const rough = Math.max(leastS, spanMs / 1000 / Math.max(1, widthPx));
  return niceSteps.find((step) => step >= rough - 1e-9) ?? Math.ceil(rough / 604_800) * 604_800;
}

/** What `$__rate_interval` means in Grafana: always at least four scrapes. */
export function rateInterval(stepS: number, scrapeS = minStepS): number {
  return Math.max(stepS + scrapeS, 4 * scrapeS);
}

export interface Grid {
  startS: number;
  endS: number;
  stepS: number;
}

/** Both ends on multiples of the step, so that the same instants are asked for after a refresh. */
export function gridOf(span: { startMs: number; endMs: number }, stepS: number): Grid {
  const startS = Math.ceil(span.startMs / 1000 / stepS) * stepS;
  const endS = Math.max(startS, Math.floor(span.endMs / 1000 / stepS) * stepS);
  return { startS, endS, stepS };
}

export function gridTimes({ startS, endS, stepS }: Grid): number[] {
  const count = Math.floor((endS - startS) / stepS + 1e-6) + 1;
  return Array.from({ length: count }, (_, at) => startS + at * stepS);
}

/** A series on the grid: null where it has no value, or one that no line can reach. */
export function onGrid(
  points: { times: number[]; values: number[] },
  { startS, endS, stepS }: Grid,
): (number | null)[] {
  const count = Math.floor((endS - startS) / stepS + 1e-6) + 1;
  const row = new Array<number | null>(count).fill(null);
  points.times.forEach((time, at) => {
    const index = Math.round((time - startS) / stepS);
    const value = points.values[at];
    if (index >= 0 && index < count && value !== undefined && Number.isFinite(value)) row[index] = value;
  });
  return row;
}
