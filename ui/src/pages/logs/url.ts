// The logs view as URL parameters. Defaults are left out, so that the plain view has a plain address.
import type { Order } from "../../api/logs";
import { nanosOf } from "../../lib/time/nanos";
import { defaultRange, type Range, resolveRange } from "../../lib/time/range";
import type { Zone } from "../../lib/time/zone";
import { type ChartSearch, type ChartView, decodeChartView, encodeChartView, plainChart } from "./chart/url";
import { type Column, decodeColumns, defaultColumns, encodeColumns } from "./columns";
import {
  decodePatternsView,
  encodePatternsView,
  type PatternsSearch,
  type PatternsView,
  plainPatterns,
} from "./patterns/url";

export interface LogsView {
  query: string;
  range: Range;
  order: Order;
  zone: Zone;
  /** Seconds between automatic refreshes. */
  refreshS: number | null;
  /** The open record. The time is with it because records are found by time, not by id. */
  record: RecordLink | null;
  /** What is shown of a record behind its time. */
  columns: Column[];
  /** Whole bodies, over as many lines as they need. */
  wrap: boolean;
  /** The tab: the records, their patterns, or a chart of them. */
  tab: "records" | "patterns" | "chart";
  patterns: PatternsView;
  chart: ChartView;
  /** New records as they arrive, in place of a search. */
  live: boolean;
}

/** What the plain address shows; a link names only what differs. */
export const plainView: LogsView = {
  query: "",
  range: defaultRange,
  order: "newest",
  zone: "utc",
  refreshS: null,
  record: null,
  columns: defaultColumns,
  wrap: false,
  tab: "records",
  patterns: plainPatterns,
  chart: plainChart,
  live: false,
};

export interface RecordLink {
  id: string;
  /** RFC 3339 with nanoseconds. */
  time: string;
}

export interface LogsSearch extends PatternsSearch, ChartSearch {
  query?: string;
  from?: string;
  to?: string;
  order?: "oldest";
  zone?: "local";
  refresh?: string;
  record?: string;
  at?: string;
  columns?: string;
  wrap?: "1";
  tab?: "patterns" | "chart";
  live?: "1";
}

export function encodeLogsView(view: LogsView): LogsSearch {
  const isDefault = view.range.from === defaultRange.from && view.range.to === defaultRange.to;
  return {
    ...(view.query !== "" && { query: view.query }),
    ...(!isDefault && { from: view.range.from, to: view.range.to }),
    ...(view.order === "oldest" && { order: "oldest" as const }),
    ...(view.zone === "local" && { zone: "local" as const }),
    ...(view.refreshS !== null && { refresh: `${view.refreshS}s` }),
    ...(view.record && { record: view.record.id, at: view.record.time }),
    ...encodeColumns(view.columns),
    ...(view.wrap && { wrap: "1" as const }),
    ...(view.tab !== "records" && { tab: view.tab }),
    ...encodePatternsView(view.patterns),
    ...encodeChartView(view.chart),
    ...(view.live && { live: "1" as const }),
  };
}

/** Never fails: what is malformed becomes its default. */
export function decodeLogsView(search: Record<string, unknown>): LogsView {
  const text = (name: string): string => (typeof search[name] === "string" ? (search[name] as string) : "");
  const range: Range = { from: text("from"), to: text("to") || "now" };
  const refresh = /^(\d{1,5})s$/.exec(text("refresh"));
  const seconds = refresh ? Number(refresh[1]) : 0;
  const linked = text("record") !== "" && nanosOf(text("at")) !== null;
  return {
    query: text("query"),
    range: resolveRange(range, Date.now()) ? range : defaultRange,
    order: text("order") === "oldest" ? "oldest" : "newest",
    zone: text("zone") === "local" ? "local" : "utc",
    refreshS: seconds > 0 ? seconds : null,
    record: linked ? { id: text("record"), time: text("at") } : null,
    columns: decodeColumns(text("columns")),
    wrap: text("wrap") === "1",
    tab: tabNamed(text("tab")),
    patterns: decodePatternsView(search),
    chart: decodeChartView(search),
    live: text("live") === "1",
  };
}

function tabNamed(name: string): LogsView["tab"] {
  return name === "patterns" || name === "chart" ? name : "records";
}
