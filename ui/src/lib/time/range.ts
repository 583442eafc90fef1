// A time range as the URL holds it: two bounds, each "now", "now-90m" or an RFC 3339 instant.
export interface Range {
  from: string;
  to: string;
}

/** A range with its bounds fixed; `endMs` is exclusive. */
export interface Span {
  startMs: number;
  endMs: number;
}

const unitMs: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const unitNames: Record<string, string> = { s: "s", m: "min", h: "h", d: "d", w: "weeks" };
const relativeBound = /^now(?:-(\d{1,6})([smhdw]))?$/;
const absoluteBound = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;
const maxSpanMs = 20 * 365 * 86_400_000;

export const defaultRange: Range = { from: "now-1h", to: "now" };
export const presets: Range[] = ["5m", "15m", "1h", "3h", "12h", "24h", "2d", "7d", "30d"].map((ago) => ({
  from: `now-${ago}`,
  to: "now",
}));

/** The instant of one bound, or null when the text is not a bound. */
export function resolveBound(text: string, nowMs: number): number | null {
  const relative = relativeBound.exec(text);
  if (relative) {
    const [, count, unit] = relative;
    return nowMs - (count && unit ? Number(count) * (unitMs[unit] ?? 0) : 0);
  }
  if (!absoluteBound.test(text)) return null;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : ms;
}

/** The span of a range, or null when a bound is malformed or the end is not after the start. */
export function resolveRange(range: Range, nowMs: number): Span | null {
  const startMs = resolveBound(range.from, nowMs);
  const endMs = resolveBound(range.to, nowMs);
  return startMs === null || endMs === null || endMs <= startMs ? null : { startMs, endMs };
}

export function isRelative(range: Range): boolean {
  return range.from.startsWith("now") || range.to.startsWith("now");
}

export function spanMs(span: Span): number {
  return span.endMs - span.startMs;
}

export function absoluteRange(span: Span): Range {
  return { from: new Date(span.startMs).toISOString(), to: new Date(span.endMs).toISOString() };
}

/** "Last 1 h" for what follows the clock, "Fixed" for what does not. */
export function rangeName(range: Range): string {
  const match = relativeBound.exec(range.from);
  if (range.to !== "now" || !match?.[1] || !match[2]) return isRelative(range) ? "Relative" : "Fixed";
  return `Last ${match[1]}\u00a0${unitNames[match[2]]}`;
}

/** Twice as long: a range up to now reaches further back, a fixed one grows on both sides. */
export function zoomOut(range: Range, nowMs: number): Range {
  const span = resolveRange(range, nowMs);
  if (!span) return defaultRange;
  const length = Math.min(spanMs(span), maxSpanMs / 2);
  if (range.to === "now") return { from: agoBound(length * 2), to: "now" };
  return absoluteRange({ startMs: span.startMs - length / 2, endMs: span.endMs + length / 2 });
}

/** Moves by half of its length, back (-1) or forward (1); the result is fixed. */
export function shiftRange(range: Range, direction: -1 | 1, nowMs: number): Range {
  const span = resolveRange(range, nowMs);
  if (!span) return defaultRange;
  const by = (direction * spanMs(span)) / 2;
  return absoluteRange({ startMs: span.startMs + by, endMs: span.endMs + by });
}

/** The shortest exact relative bound: 7200000 → "now-2h". */
export function agoBound(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1000));
  const unit = (["w", "d", "h", "m"] as const).find((name) => (seconds * 1000) % (unitMs[name] ?? 1) === 0);
  // Weeks only when days would be long to read: "now-7d" stays.
  if (!unit) return `now-${seconds}s`;
  const chosen = unit === "w" && seconds <= 14 * 86_400 ? "d" : unit;
  return `now-${(seconds * 1000) / (unitMs[chosen] ?? 1000)}${chosen}`;
}
