import { type Span, spanMs } from "./range";
import { pad, partsOf, startOfDay, type Zone } from "./zone";

export const NBSP = "\u00a0";

export function formatDay(ms: number, zone: Zone): string {
  const { year, month, day } = partsOf(ms, zone);
  return `${pad(year, 4)}-${pad(month)}-${pad(day)}`;
}

/** 10:17:39 */
export function formatClock(ms: number, zone: Zone): string {
  const { hour, minute, second } = partsOf(ms, zone);
  return `${pad(hour)}:${pad(minute)}:${pad(second)}`;
}

/** 10:17:39.912 */
export function formatClockMs(ms: number, zone: Zone): string {
  return `${formatClock(ms, zone)}.${pad(partsOf(ms, zone).millisecond, 3)}`;
}

/** 2026-11-25 10:17:39; the form that the absolute inputs take back. */
export function formatMoment(ms: number, zone: Zone): string {
  return `${formatDay(ms, zone)} ${formatClock(ms, zone)}`;
}

/** "09:17:40 – 10:17:40" when both ends are today, otherwise with the days. */
export function formatSpan(span: Span, zone: Zone, nowMs: number): string {
  const today = startOfDay(nowMs, zone);
  const tomorrow = startOfDay(nowMs, zone, 1);
  if (span.startMs >= today && span.endMs <= tomorrow) {
    return `${formatClock(span.startMs, zone)} – ${formatClock(span.endMs, zone)}`;
  }
  if (startOfDay(span.startMs, zone) === startOfDay(span.endMs, zone)) {
    return `${formatMoment(span.startMs, zone)} – ${formatClock(span.endMs, zone)}`;
  }
  return `${formatMoment(span.startMs, zone)} – ${formatMoment(span.endMs, zone)}`;
}

const units: [ms: number, name: string][] = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
  [1000, "s"],
];

/** At most two units: "1 min 12 s", "3 h", "250 ms". */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}${NBSP}ms`;
  const at = units.findIndex(([size]) => ms >= size);
  const [size, name] = units[at] ?? [1000, "s"];
  const count = Math.floor(ms / size);
  const next = units[at + 1];
  const rest = next ? Math.floor((ms - count * size) / next[0]) : 0;
  return `${count}${NBSP}${name}${next && rest > 0 ? ` ${rest}${NBSP}${next[1]}` : ""}`;
}

/** Does a span reach over midnight or last longer than a day, so that clock times alone would mislead? */
export function needsDays(span: Span, zone: Zone): boolean {
  return spanMs(span) > 86_400_000 || startOfDay(span.startMs, zone) !== startOfDay(span.endMs - 1, zone);
}
