// Rates, errors and latencies as text, on every services page the same.
import type { EdgeType } from "../../api/services";
import { formatCount } from "../../lib/number";
import { NBSP } from "../../lib/time/format";
import { formatValue } from "../../lib/units";

const perSecond: Record<EdgeType | "group", string> = {
  service: "req/s",
  database: "q/s",
  messaging: "msg/s",
  external: "req/s",
  group: "req/s",
};

export const typeNames: Record<EdgeType, string> = {
  service: "service",
  database: "database",
  messaging: "queue",
  external: "external",
};

/** "412", "88.1", "0.42"; "11.8 k". */
export function rateText(rate: number | null): string {
  if (rate === null) return "–";
  if (rate > 0 && rate < 0.001) return `<${NBSP}0.001`;
  return rate >= 1000 ? formatCount(rate) : formatValue(rate, "none");
}

export function rateWith(rate: number, type: EdgeType | "group"): string {
  return `${rateText(rate)}${NBSP}${perSecond[type]}`;
}

/** Percent: "0.31 %", "12.4 %", "0 %". */
export function errorsText(share: number | null): string {
  if (share === null) return "–";
  if (share > 0 && share < 0.0001) return `<${NBSP}0.01${NBSP}%`;
  const places = share === 0 ? 0 : share < 0.0995 ? 2 : 1;
  return formatValue(share, "percentunit", places);
}

export function latencyText(ns: number | null): string {
  return ns === null ? "–" : formatValue(ns / 1e9, "s");
}
