// Durations in nanoseconds as a person reads them.
import { formatDuration, NBSP } from "./format";

/** "0.4 µs", "2.4 ms", "890 ms", "1.04 s", "12.4 s", "1 min 12 s". */
export function formatNanos(ns: number): string {
  if (ns < 0) return `−${formatNanos(-ns)}`;
  if (ns === 0) return `0${NBSP}ms`;
  if (ns < 999.5) return `${Math.round(ns)}${NBSP}ns`;
  if (ns < 999_500) return `${short(ns / 1000)}${NBSP}µs`;
  if (ns < 999_500_000) return `${short(ns / 1e6)}${NBSP}ms`;
  if (ns < 9_995_000_000) return `${(ns / 1e9).toFixed(2).replace(/\.?0+$/, "")}${NBSP}s`;
  if (ns < 59_950_000_000) return `${(ns / 1e9).toFixed(1).replace(/\.0$/, "")}${NBSP}s`;
  return formatDuration(ns / 1e6);
}

function short(value: number): string {
  return value < 9.95 ? value.toFixed(1).replace(/\.0$/, "") : String(Math.round(value));
}

const tickUnits: [size: number, unit: string][] = [
  [1, "ns"],
  [1e3, "µs"],
  [1e6, "ms"],
  [1e9, "s"],
];
/** Above this a number is read more easily in the next unit, with a fraction. */
const longest = 10_000;

/** What stands at the ticks of an axis: "0 ms", "200 ms", "1000 ms", "100.5 ms". */
export function tickNanos(ns: number, stepNs: number, largestNs: number): string {
  let at = Math.max(
    0,
    tickUnits.findLastIndex(([least]) => stepNs >= least),
  );
  while (at < tickUnits.length - 1 && largestNs / (tickUnits[at]?.[0] ?? 1) >= longest) at += 1;
  const [size, unit] = tickUnits[at] ?? [1, "ns"];
  const decimals = Math.max(0, Math.ceil(-Math.log10(stepNs / size) - 1e-9));
  return `${(ns / size).toFixed(decimals)}${NBSP}${unit}`;
}

const factors = [1, 2, 5, 10];

/** Round ticks within a stretch, about `count` of them. */
export function nanoTicks(fromNs: number, toNs: number, count: number): { ticks: number[]; stepNs: number } {
  const rough = Math.max(1, (toNs - fromNs) / Math.max(1, count));
  const power = 10 ** Math.floor(Math.log10(rough));
  const stepNs = (factors.find((factor) => factor * power >= rough - 1e-9) ?? 10) * power;
  const ticks: number[] = [];
  for (let at = Math.ceil(fromNs / stepNs - 1e-9); at * stepNs <= toNs; at += 1) ticks.push(at * stepNs);
  return { ticks, stepNs };
}

/** "82.6 %", "3 %", "< 0.1 %". */
export function formatPercent(share: number): string {
  const percent = share * 100;
  if (percent > 0 && percent < 0.1) return `<${NBSP}0.1${NBSP}%`;
  return `${percent.toFixed(1).replace(/\.0$/, "")}${NBSP}%`;
}
