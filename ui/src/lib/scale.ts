// Round ticks for axes.
import { msOf, pad, partsOf, type Zone } from "./time/zone";

/** Zero and at most `count` round steps above it that reach the maximum or stay just below it. */
export function valueTicks(max: number, count = 3): number[] {
  if (max <= 0) return [0];
  const rough = max / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, roundFactor(rough / power, power) * power);
  const ticks = [0];
  for (let value = step; value <= max; value += step) ticks.push(value);
  return ticks.length > 1 ? ticks : [0, Math.max(1, Math.floor(max))];
}

/** 2.5 only where it makes whole counts. */
function roundFactor(factor: number, power: number): number {
  return (power >= 10 ? [1, 2, 2.5, 5, 10] : [1, 2, 5, 10]).find((round) => round >= factor) ?? 10;
}

const stepsMs = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000,
  600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 10_800_000, 21_600_000, 43_200_000, 86_400_000,
  172_800_000, 604_800_000, 1_209_600_000, 2_592_000_000,
];

/** Instants at round local times, about `count` of them. */
export function timeTicks(
  startMs: number,
  endMs: number,
  count: number,
  zone: Zone,
): { ticks: number[]; stepMs: number } {
  const rough = (endMs - startMs) / Math.max(1, count);
  const stepMs =
    stepsMs.find((step) => step >= rough * 0.8) ?? Math.ceil(rough / 2_592_000_000) * 2_592_000_000;
  // Steps of hours and more are counted from local midnight, so that they fall on local hours and days.
  const { year, month, day } = partsOf(startMs, zone);
  const origin = stepMs >= 3_600_000 ? msOf({ year, month, day }, zone) : 0;
  const ticks: number[] = [];
  for (let at = origin + Math.ceil((startMs - origin) / stepMs) * stepMs; at <= endMs; at += stepMs)
    ticks.push(at);
  return { ticks, stepMs };
}

/** What stands at a tick: the clock, and the date at midnight. */
export function tickLabel(ms: number, stepMs: number, zone: Zone): string {
  const { month, day, hour, minute, second, millisecond } = partsOf(ms, zone);
  const date = `${pad(month)}-${pad(day)}`;
  if (stepMs >= 86_400_000) return date;
  const clock = `${pad(hour)}:${pad(minute)}`;
  if (hour + minute + second === 0) return `${date} ${clock}`;
  if (stepMs >= 60_000) return clock;
  return stepMs >= 1000 ? `${clock}:${pad(second)}` : `${clock}:${pad(second)}.${pad(millisecond, 3)}`;
}
