// Calendar fields of an instant, in UTC or in the browser's zone. Instants are milliseconds since 1970 (`ms`).
export type Zone = "utc" | "local";

export interface Parts {
  year: number;
  month: number; // 1–12
  day: number;
  hour: number;
  minute: number;
  second: number;
  millisecond: number;
}

export function partsOf(ms: number, zone: Zone): Parts {
  const date = new Date(zone === "utc" ? ms : ms - new Date(ms).getTimezoneOffset() * 60_000);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    millisecond: date.getUTCMilliseconds(),
  };
}

/** The instant of calendar fields; fields out of range roll over (day 0 is the last of the month before). */
export function msOf(parts: Partial<Parts> & Pick<Parts, "year" | "month" | "day">, zone: Zone): number {
  const { year, month, day, hour = 0, minute = 0, second = 0, millisecond = 0 } = parts;
  return zone === "utc"
    ? Date.UTC(year, month - 1, day, hour, minute, second, millisecond)
    : new Date(year, month - 1, day, hour, minute, second, millisecond).getTime();
}

export function startOfDay(ms: number, zone: Zone, addDays = 0): number {
  const { year, month, day } = partsOf(ms, zone);
  return msOf({ year, month, day: day + addDays }, zone);
}

/** "UTC", or the local offset at that instant: "UTC+02:00". */
export function zoneLabel(zone: Zone, ms: number): string {
  if (zone === "utc") return "UTC";
  const minutes = -new Date(ms).getTimezoneOffset();
  if (minutes === 0) return "UTC+00:00";
  const size = Math.abs(minutes);
  return `UTC${minutes < 0 ? "−" : "+"}${pad(Math.floor(size / 60))}:${pad(size % 60)}`;
}

export function pad(value: number, width = 2): string {
  return String(value).padStart(width, "0");
}
