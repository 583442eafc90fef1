// The time of a page as URL parameters: every page with charts has the same ones.
import { defaultRange, type Range, resolveRange } from "./range";
import type { Zone } from "./zone";

export interface TimeView {
  range: Range;
  zone: Zone;
  /** Seconds between automatic refreshes. */
  refreshS: number | null;
}

export interface TimeSearch {
  from?: string;
  to?: string;
  zone?: "local";
  refresh?: string;
}

export const plainTime: TimeView = { range: defaultRange, zone: "utc", refreshS: null };

export function encodeTimeView({ range, zone, refreshS }: TimeView): TimeSearch {
  const isDefault = range.from === defaultRange.from && range.to === defaultRange.to;
  return {
    ...(!isDefault && { from: range.from, to: range.to }),
    ...(zone === "local" && { zone: "local" as const }),
    ...(refreshS !== null && { refresh: `${refreshS}s` }),
  };
}

/** Never fails: what is malformed becomes its default. */
export function decodeTimeView(search: Record<string, unknown>): TimeView {
  const text = (name: string): string => (typeof search[name] === "string" ? (search[name] as string) : "");
  const range: Range = { from: text("from"), to: text("to") || "now" };
  const refresh = /^(\d{1,5})s$/.exec(text("refresh"));
  const seconds = refresh ? Number(refresh[1]) : 0;
  return {
    range: resolveRange(range, Date.now()) ? range : defaultRange,
    zone: text("zone") === "local" ? "local" : "utc",
    refreshS: seconds > 0 ? seconds : null,
  };
}
