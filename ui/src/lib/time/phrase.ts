// Free text for time: "3h", "yesterday 14:00", "10:00 - 10:30", "2026-11-25 to 2026-11-27", "last 2 days".
import { absoluteRange, agoBound, type Range, resolveRange } from "./range";
import { msOf, partsOf, startOfDay, type Zone } from "./zone";

const words: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const ago = /^(?:last\s+|past\s+)?(\d{1,6})\s*(s|m|h|d|w)[a-z]*(?:\s+ago)?$/;
const lastOne = /^(?:last|past)\s+(second|minute|hour|day|week)$/;
const clock = /^(\d{1,2}):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?$/;
const date = /^(\d{4})-(\d{1,2})-(\d{1,2})$/;

interface Moment {
  ms: number;
  /** How long the thing named lasts: a day, or an hour for a clock time. */
  lastsMs: number;
  dayMs: number | null;
}

/** The range that the text means, or null. A lone moment means the hour from there, a lone day the whole day. */
export function parseRangePhrase(text: string, nowMs: number, zone: Zone): Range | null {
  const phrase = text.trim().toLowerCase().replace(/\s+/g, " ");
  if (phrase === "") return null;
  const relative = parseAgo(phrase);
  if (relative) return relative;
  const parts = phrase
    .split(/ (?:to|until|till|-|–|→) | ?– ?| ?→ ?|(?<=:\d\d) ?- ?/)
    .map((part) => part.trim());
  if (parts.length > 2 || parts.some((part) => part === "")) return null;
  const from = parseMoment(parts[0] ?? "", nowMs, zone, null);
  if (!from) return null;
  if (parts.length === 1) return fix(from.ms, from.ms + from.lastsMs, nowMs);
  if (parts[1] === "now") return { from: new Date(from.ms).toISOString(), to: "now" };
  const to = parseMoment(parts[1] ?? "", nowMs, zone, from.dayMs);
  if (!to) return null;
  const wholeDay = to.lastsMs > 3_600_000 && to.ms >= from.ms;
  return fix(from.ms, wholeDay ? to.ms + to.lastsMs : to.ms, nowMs);
}

/** One end of a range, as the absolute inputs take it. */
export function parseMomentText(text: string, nowMs: number, zone: Zone): number | null {
  const phrase = text.trim().toLowerCase().replace(/\s+/g, " ");
  if (phrase === "now") return nowMs;
  return parseMoment(phrase, nowMs, zone, null)?.ms ?? null;
}

function parseAgo(phrase: string): Range | null {
  if (phrase === "today so far") return null;
  const one = lastOne.exec(phrase);
  if (one?.[1]) return { from: `now-1${one[1][0]}`, to: "now" };
  const match = ago.exec(phrase);
  if (!match?.[1] || !match[2] || Number(match[1]) === 0) return null;
  return { from: agoBound(Number(match[1]) * (words[match[2]] ?? 0)), to: "now" };
}

function parseMoment(phrase: string, nowMs: number, zone: Zone, impliedDayMs: number | null): Moment | null {
  const instant = /^\d{4}-\d\d-\d\dt[\d:.]+(z|[+-]\d\d:\d\d)$/.test(phrase)
    ? Date.parse(phrase.toUpperCase())
    : Number.NaN;
  if (!Number.isNaN(instant)) return { ms: instant, lastsMs: 3_600_000, dayMs: startOfDay(instant, zone) };
  const [first = "", second, ...rest] = phrase.split(/[ t](?=\d)| at /);
  if (rest.length > 0) return null;
  const day = parseDay(first, nowMs, zone);
  if (day === null) {
    if (second !== undefined) return null;
    const time = parseClock(first, impliedDayMs ?? startOfDay(nowMs, zone), zone);
    return time === null
      ? null
      : { ms: time, lastsMs: 3_600_000, dayMs: impliedDayMs ?? startOfDay(nowMs, zone) };
  }
  if (second === undefined) return { ms: day, lastsMs: startOfDay(day, zone, 1) - day, dayMs: day };
  const time = parseClock(second, day, zone);
  return time === null ? null : { ms: time, lastsMs: 3_600_000, dayMs: day };
}

function parseDay(word: string, nowMs: number, zone: Zone): number | null {
  if (word === "today") return startOfDay(nowMs, zone);
  if (word === "yesterday") return startOfDay(nowMs, zone, -1);
  const match = date.exec(word);
  if (!match) return null;
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number];
  const ms = msOf({ year, month, day }, zone);
  const back = partsOf(ms, zone);
  return back.month === month && back.day === day ? ms : null;
}

function parseClock(word: string, dayMs: number, zone: Zone): number | null {
  const match = clock.exec(word);
  if (!match) return null;
  const [hour, minute, second] = [match[1], match[2], match[3] ?? "0"].map(Number) as [
    number,
    number,
    number,
  ];
  if (hour > 24 || minute > 59 || second > 59 || (hour === 24 && minute + second > 0)) return null;
  const millisecond = Number((match[4] ?? "0").padEnd(3, "0"));
  return msOf({ ...partsOf(dayMs, zone), hour, minute, second, millisecond }, zone);
}

function fix(startMs: number, endMs: number, nowMs: number): Range | null {
  const range = absoluteRange({ startMs, endMs });
  return resolveRange(range, nowMs) ? range : null;
}
