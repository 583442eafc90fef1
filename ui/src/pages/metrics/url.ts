// The metrics view as URL parameters: `q` once per query, the rest only where it differs from the plain view.
import { defaultRange, type Range, resolveRange } from "../../lib/time/range";
import type { Zone } from "../../lib/time/zone";

export interface MetricsQuery {
  text: string;
  /** "{{host_name}}"; empty: by the labels that differ. */
  legend: string;
  hidden: boolean;
}

export interface MetricsView {
  queries: MetricsQuery[];
  range: Range;
  zone: Zone;
  /** Seconds between automatic refreshes. */
  refreshS: number | null;
  tab: "graph" | "table";
  stack: boolean;
  /** The metric whose labels the browser shows. */
  metric: string | null;
  /** The list of metrics beside the queries; null: where there is room for it. */
  browser: boolean | null;
}

export interface MetricsSearch {
  q?: string | string[];
  legend?: string | string[];
  hide?: string;
  from?: string;
  to?: string;
  zone?: "local";
  refresh?: string;
  tab?: "table";
  stack?: "1";
  metric?: string;
  browser?: "0" | "1";
}

/** More would be a dashboard. */
export const maxQueries = 10;
export const emptyQuery: MetricsQuery = { text: "", legend: "", hidden: false };
export const plainView: MetricsView = {
  queries: [emptyQuery],
  range: defaultRange,
  zone: "utc",
  refreshS: null,
  tab: "graph",
  stack: false,
  metric: null,
  browser: null,
};

export function encodeMetricsView(view: MetricsView): MetricsSearch {
  const { queries } = view;
  const isDefault = view.range.from === defaultRange.from && view.range.to === defaultRange.to;
  const hidden = queries.flatMap(({ hidden: off }, at) => (off ? [String(at)] : []));
  const plain = queries.length === 1 && queries[0]?.text === "";
  return {
    ...(!plain && { q: queries.map(({ text }) => text) }),
    ...(queries.some(({ legend }) => legend !== "") && { legend: queries.map(({ legend }) => legend) }),
    ...(hidden.length > 0 && { hide: hidden.join(".") }),
    ...(!isDefault && { from: view.range.from, to: view.range.to }),
    ...(view.zone === "local" && { zone: "local" as const }),
    ...(view.refreshS !== null && { refresh: `${view.refreshS}s` }),
    ...(view.tab === "table" && { tab: "table" as const }),
    ...(view.stack && { stack: "1" as const }),
    ...(view.metric !== null && { metric: view.metric }),
    ...(view.browser !== null && { browser: view.browser ? ("1" as const) : ("0" as const) }),
  };
}

/** Never fails: what is malformed becomes its default. */
export function decodeMetricsView(search: Record<string, unknown>): MetricsView {
  const text = (name: string): string => (typeof search[name] === "string" ? (search[name] as string) : "");
  const texts = listOf(search.q).slice(0, maxQueries);
  const legends = listOf(search.legend);
  const hidden = new Set(text("hide").split("."));
  const range: Range = { from: text("from"), to: text("to") || "now" };
  const refresh = /^(\d{1,5})s$/.exec(text("refresh"));
  const seconds = refresh ? Number(refresh[1]) : 0;
  return {
    queries: (texts.length > 0 ? texts : [""]).map((query, at) => ({
      text: query,
      legend: legends[at] ?? "",
      hidden: hidden.has(String(at)),
    })),
    range: resolveRange(range, Date.now()) ? range : defaultRange,
    zone: text("zone") === "local" ? "local" : "utc",
    refreshS: seconds > 0 ? seconds : null,
    tab: text("tab") === "table" ? "table" : "graph",
    stack: text("stack") === "1",
    metric: text("metric") || null,
    browser: text("browser") === "1" ? true : text("browser") === "0" ? false : null,
  };
}

function listOf(value: unknown): string[] {
  const list = Array.isArray(value) ? value : [value];
  return list.filter((one): one is string => typeof one === "string");
}
