// The metrics view as URL parameters: `q` once per query, the rest only where it differs from the plain view.
import {
  decodeTimeView,
  encodeTimeView,
  plainTime,
  type TimeSearch,
  type TimeView,
} from "../../lib/time/view";

export interface MetricsQuery {
  text: string;
  /** "{{host_name}}"; empty: by the labels that differ. */
  legend: string;
  hidden: boolean;
}

export interface MetricsView extends TimeView {
  queries: MetricsQuery[];
  tab: "graph" | "table";
  stack: boolean;
  /** The metric whose labels the browser shows. */
  metric: string | null;
  /** The list of metrics beside the queries; null: where there is room for it. */
  browser: boolean | null;
}

export interface MetricsSearch extends TimeSearch {
  q?: string | string[];
  legend?: string | string[];
  hide?: string;
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
  ...plainTime,
  tab: "graph",
  stack: false,
  metric: null,
  browser: null,
};

export function encodeMetricsView(view: MetricsView): MetricsSearch {
  const { queries } = view;
  const hidden = queries.flatMap(({ hidden: off }, at) => (off ? [String(at)] : []));
  const plain = queries.length === 1 && queries[0]?.text === "";
  return {
    ...(!plain && { q: queries.map(({ text }) => text) }),
    ...(queries.some(({ legend }) => legend !== "") && { legend: queries.map(({ legend }) => legend) }),
    ...(hidden.length > 0 && { hide: hidden.join(".") }),
    ...encodeTimeView(view),
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
  return {
    queries: (texts.length > 0 ? texts : [""]).map((query, at) => ({
      text: query,
      legend: legends[at] ?? "",
      hidden: hidden.has(String(at)),
    })),
    ...decodeTimeView(search),
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
