// The clock of a page that refreshes by itself: its zone, and how often. What is usual is not in the address.
import type { Zone } from "./zone";

export interface Clock {
  zone: Zone;
  /** Seconds; null: only a person refreshes. */
  refreshS: number | null;
}

export interface ClockSearch {
  zone?: "local";
  refresh?: string;
}

export function encodeClock({ zone, refreshS }: Clock, usualS: number): ClockSearch {
  return {
    ...(zone === "local" && { zone: "local" as const }),
    ...(refreshS !== usualS && { refresh: refreshS === null ? "off" : `${refreshS}s` }),
  };
}

/** Never fails: what is malformed becomes its default. */
export function decodeClock(search: Record<string, unknown>, usualS: number): Clock {
  const refresh = typeof search.refresh === "string" ? search.refresh : "";
  const seconds = Number(/^(\d{1,5})s$/.exec(refresh)?.[1] ?? 0);
  return {
    zone: search.zone === "local" ? "local" : "utc",
    refreshS: refresh === "off" ? null : seconds > 0 ? seconds : usualS,
  };
}
