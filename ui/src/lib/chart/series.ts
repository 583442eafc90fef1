// What a chart draws: series over common times. Pure: drawing is in components/chart.

export interface ChartSeries {
  /** What the legend says; unique within the chart. */
  label: string;
  /** One per time; null where there is no value. */
  values: (number | null)[];
  /** A slot of the palette, 1 to 10, or any CSS colour; without one it follows from the label. */
  colour?: number | string | undefined;
  /** Where it differs from the chart's. */
  unit?: string | undefined;
}

export interface Thresholds {
  value: number;
  kind: "warn" | "crit" | "info";
  /** Written on the line: "objective 400 ms". */
  label?: string | undefined;
  /** On the axis however far it is from the values: the chart is about it. */
  always?: boolean | undefined;
}

export interface Annotation {
  /** Seconds. */
  time: number;
  text: string;
  /** A region up to here, in seconds. */
  endTime?: number | undefined;
  /** Written beside its line; the others say their text on hover. */
  important?: boolean | undefined;
  /** A region in violet, seen however short it is: what the page is about. */
  accent?: boolean | undefined;
  /** When it began: violet as wide as that is uncertain, with its text, and all that comes after it tinted. */
  onset?: boolean | undefined;
  /** A region in a meaning colour, seen however short it is: an alert that fired, or hatched, that was pending. */
  band?: "crit" | "warn" | "info" | "pending" | undefined;
}

/** What is usual: a grey band from `low` to `high` over the whole time. */
export interface Usual {
  low: number;
  high: number;
}

/** So many lines can be told apart. */
export const drawnLimit = 10;
export const otherLabel = "other";

export interface DrawnSeries extends ChartSeries {
  /** The sum of the series that are not drawn themselves. */
  isOther: boolean;
}

export interface Drawn {
  series: DrawnSeries[];
  /** How many are not drawn themselves. */
  hidden: number;
}

/**
 * The ten highest, in the order that they came in. Of a stack the rest is summed up as "other", so that its height stays
 * true; the rest of lines is only counted, because a sum of them means nothing.
 */
export function drawnSeries(series: ChartSeries[], stacked: boolean): Drawn {
  if (series.length <= drawnLimit)
    return { series: series.map((one) => ({ ...one, isOther: false })), hidden: 0 };
  const peaks = new Map(series.map((one) => [one, peakOf(one.values)]));
  const ranked = [...series].sort((a, b) => (peaks.get(b) ?? 0) - (peaks.get(a) ?? 0));
  const top = new Set(ranked.slice(0, drawnLimit));
  const shown = series.filter((one) => top.has(one)).map((one) => ({ ...one, isOther: false }));
  const rest = series.filter((one) => !top.has(one));
  if (!stacked) return { series: shown, hidden: rest.length };
  const other: DrawnSeries = { label: otherLabel, values: sumOf(rest), colour: 9, isOther: true };
  return { series: [...shown, other], hidden: rest.length };
}

/** Each series on top of those before it; null where all are. */
export function stackValues(series: ChartSeries[]): (number | null)[][] {
  const length = series[0]?.values.length ?? 0;
  const sums = new Array<number>(length).fill(0);
  const present = new Array<boolean>(length).fill(false);
  for (const { values } of series)
    for (let at = 0; at < length; at += 1)
      if (values[at] !== null && values[at] !== undefined) present[at] = true;
  return series.map(({ values }) =>
    values.map((value, at) => {
      sums[at] = (sums[at] ?? 0) + (value ?? 0);
      return present[at] ? (sums[at] ?? 0) : null;
    }),
  );
}

export function lastValue(values: (number | null)[]): number | null {
  for (let at = values.length - 1; at >= 0; at -= 1) {
    const value = values[at];
    if (value !== null && value !== undefined) return value;
  }
  return null;
}

/** null without any value. */
export function totalOf(values: (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
}

/** The smallest and largest value; null without any. */
export function extentOf(columns: (number | null)[][]): { min: number; max: number } | null {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const values of columns)
    for (const value of values)
      if (value !== null && Number.isFinite(value)) {
        if (value < min) min = value;
        if (value > max) max = value;
      }
  return min > max ? null : { min, max };
}

export interface Gap {
  /** Seconds: from the last value before to the first one after, or the ends of the chart. */
  start: number;
  end: number;
}

/** Where no series has a value, longer than one step. */
export function gapsOf(times: number[], columns: (number | null)[][], stepS: number): Gap[] {
  const gaps: Gap[] = [];
  const missing = (at: number) => columns.every((values) => values[at] === null || values[at] === undefined);
  let from: number | null = null;
  for (let at = 0; at <= times.length; at += 1) {
    if (at < times.length && missing(at)) {
      from ??= at;
    } else if (from !== null) {
      const start = times[Math.max(0, from - 1)] ?? 0;
      const end = times[Math.min(times.length - 1, at)] ?? 0;
      if (end - start > stepS) gaps.push({ start, end });
      from = null;
    }
  }
  // Nothing anywhere is not a gap: the panel says that it is empty.
  return gaps.length === 1 && columns.every((values) => lastValue(values) === null) ? [] : gaps;
}

/** The usual distance of the times, in seconds. */
export function stepOf(times: number[]): number {
  let step = Number.POSITIVE_INFINITY;
  for (let at = 1; at < times.length; at += 1) step = Math.min(step, (times[at] ?? 0) - (times[at - 1] ?? 0));
  return Number.isFinite(step) && step > 0 ? step : 1;
}

/** The times at or nearest to an instant. */
export function indexAt(times: number[], time: number): number {
  let low = 0;
  let high = times.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) < time) low = middle + 1;
    else high = middle;
  }
  const before = times[low - 1];
  const here = times[low] ?? 0;
  return before !== undefined && time - before < here - time ? low - 1 : low;
}

function peakOf(values: (number | null)[]): number {
  let peak = Number.NEGATIVE_INFINITY;
  for (const value of values) if (value !== null && value > peak) peak = value;
  return peak;
}

function sumOf(series: ChartSeries[]): (number | null)[] {
  return (series[0]?.values ?? []).map((_, at) => {
    let sum: number | null = null;
    for (const { values } of series) {
      const value = values[at];
      if (value !== null && value !== undefined) sum = (sum ?? 0) + value;
    }
    return sum;
  });
}
