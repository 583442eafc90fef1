import { NBSP } from "./time/format";

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const scales: [size: number, unit: string][] = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
];

/** "3,100", and from 10,000 on three digits and a unit: "11.8 k", "141 k", "4.1 M". */
export function formatCount(value: number): string {
  if (Math.abs(value) < 10_000) return grouped.format(value);
  const [size, unit] = scales.find(([least]) => Math.abs(value) >= least * 0.9995) ?? [1, ""];
  const scaled = value / size;
  return `${Math.abs(scaled) >= 99.95 ? grouped.format(scaled) : scaled.toFixed(1)}${NBSP}${unit}`;
}

/** The same for axes, where values are round: "20 k". */
export function formatTick(value: number): string {
  return formatCount(value).replace(/\.0(?=\u00a0)/, "");
}

/** Every digit: "156,904". */
export function formatExact(value: number): string {
  return grouped.format(value);
}

export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${grouped.format(bytes)}${NBSP}B`;
  const names = ["KiB", "MiB", "GiB", "TiB"];
  let size = bytes / 1024;
  let at = 0;
  while (size >= 999.5 && at < names.length - 1) {
    size /= 1024;
    at += 1;
  }
  return `${threeDigits(size)}${NBSP}${names[at]}`;
}

/** How long the server took: "0.4 ms", "38 ms", "1.2 s". */
export function formatTook(ms: number): string {
  if (ms < 10) return `${trim(ms.toFixed(1))}${NBSP}ms`;
  if (ms < 1000) return `${Math.round(ms)}${NBSP}ms`;
  return `${threeDigits(ms / 1000)}${NBSP}s`;
}

/** "12 %", "1.2 %", "< 0.1 %". */
export function formatShare(share: number): string {
  const percent = share * 100;
  if (percent > 0 && percent < 0.1) return "<\u00a00.1\u00a0%";
  return `${percent < 10 ? percent.toFixed(1).replace(/\.0$/, "") : Math.round(percent)}\u00a0%`;
}

/** "1 record", "3,100 records". */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

function threeDigits(value: number): string {
  return Math.abs(value) >= 99.95 ? grouped.format(Math.round(value)) : trim(value.toFixed(1));
}

function trim(digits: string): string {
  return digits.replace(/\.0$/, "");
}
