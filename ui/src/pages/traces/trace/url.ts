// One trace as URL parameters: which span is open, which tab, how far it is zoomed in.

import type { Zone } from "../../../lib/time/zone";
import { type GroupKey, groupKeys } from "../../../lib/trace/groups";
import type { Window } from "../../../lib/trace/window";

export const traceTabs = ["waterfall", "flame", "table"] as const;
export type TraceTab = (typeof traceTabs)[number];
export const spanTabs = ["attributes", "events", "links", "resource"] as const;
export type SpanTab = (typeof spanTabs)[number];

export interface TraceViewState {
  tab: TraceTab;
  /** The id of the span that is open. */
  span: string | null;
  show: SpanTab;
  /** Nanoseconds from the start of the trace; null: all of it. */
  zoom: Window | null;
  pathOnly: boolean;
  find: string;
  sort: GroupKey;
  reverse: boolean;
  /** A span of the frame that is zoomed to. */
  frame: string | null;
  zone: Zone;
}

export interface TraceSearch {
  tab?: Exclude<TraceTab, "waterfall">;
  span?: string;
  show?: Exclude<SpanTab, "attributes">;
  zoom?: string;
  path?: "1";
  find?: string;
  sort?: GroupKey;
  reverse?: "1";
  frame?: string;
  zone?: "local";
}

export function encodeTraceView(view: TraceViewState): TraceSearch {
  return {
    ...(view.tab !== "waterfall" && { tab: view.tab }),
    ...(view.span !== null && { span: view.span }),
    ...(view.show !== "attributes" && { show: view.show }),
    ...(view.zoom && { zoom: `${view.zoom.fromNs}-${view.zoom.toNs}` }),
    ...(view.pathOnly && { path: "1" as const }),
    ...(view.find !== "" && { find: view.find }),
    ...(view.sort !== "path" && { sort: view.sort }),
    ...(view.reverse && { reverse: "1" as const }),
    ...(view.frame !== null && { frame: view.frame }),
    ...(view.zone === "local" && { zone: "local" as const }),
  };
}

/** Never fails: what is malformed becomes its default. */
export function decodeTraceView(search: Record<string, unknown>): TraceViewState {
  const text = (name: string): string => (typeof search[name] === "string" ? (search[name] as string) : "");
  const id = (name: string) => (/^[0-9a-f]{16}$/i.test(text(name)) ? text(name).toLowerCase() : null);
  const zoom = /^(\d{1,16})-(\d{1,16})$/.exec(text("zoom"));
  const [fromNs, toNs] = [Number(zoom?.[1] ?? 0), Number(zoom?.[2] ?? 0)];
  return {
    tab: traceTabs.find((tab) => tab === text("tab")) ?? "waterfall",
    span: id("span"),
    show: spanTabs.find((tab) => tab === text("show")) ?? "attributes",
    zoom: zoom && toNs > fromNs ? { fromNs, toNs } : null,
    pathOnly: text("path") === "1",
    find: text("find").slice(0, 200),
    sort: groupKeys.find((key) => key === text("sort")) ?? "path",
    reverse: text("reverse") === "1",
    frame: id("frame"),
    zone: text("zone") === "local" ? "local" : "utc",
  };
}
