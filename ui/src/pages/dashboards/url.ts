// A dashboard's state as URL parameters: `var-host=db-1` once per value, the time only where it differs from the file's.
import type { Chosen } from "../../lib/dashboard/resolve";
import { type Range, resolveRange } from "../../lib/time/range";
import type { Zone } from "../../lib/time/zone";

export interface DashboardView {
  /** Null: as the dashboard says. */
  range: Range | null;
  zone: Zone;
  /** Seconds; 0: not by itself; null: as the dashboard says. */
  refreshS: number | null;
  variables: Chosen;
  /** The panel that has the whole page. */
  panel: string | null;
  editing: boolean;
  /** Rows that are folded or unfolded other than in the file. */
  turned: string[];
}

export const plainDashboard: DashboardView = {
  range: null,
  zone: "utc",
  refreshS: null,
  variables: {},
  panel: null,
  editing: false,
  turned: [],
};

export type DashboardSearch = Record<string, string | string[]>;

export function encodeDashboardView(view: DashboardView): DashboardSearch {
  const search: DashboardSearch = {};
  for (const [name, values] of Object.entries(view.variables))
    if (values !== undefined) search[`var-${name}`] = values.length === 1 ? (values[0] ?? "") : values;
  if (view.range) {
    search.from = view.range.from;
    search.to = view.range.to;
  }
  if (view.zone === "local") search.zone = "local";
  if (view.refreshS !== null) search.refresh = `${view.refreshS}s`;
  if (view.panel !== null) search.view = view.panel;
  if (view.editing) search.edit = "1";
  if (view.turned.length > 0) search.rows = view.turned;
  return search;
}

/** Never fails: what is malformed becomes its default. */
export function decodeDashboardView(search: Record<string, unknown>): DashboardView {
  const text = (name: string): string => (typeof search[name] === "string" ? (search[name] as string) : "");
  const range: Range = { from: text("from"), to: text("to") || "now" };
  const refresh = /^(\d{1,5})s$/.exec(text("refresh"));
  const variables: Chosen = {};
  for (const [name, value] of Object.entries(search))
    if (name.startsWith("var-") && name.length > 4) variables[name.slice(4)] = textsOf(value);
  return {
    range: text("from") !== "" && resolveRange(range, Date.now()) ? range : null,
    zone: text("zone") === "local" ? "local" : "utc",
    refreshS: refresh ? Number(refresh[1]) : null,
    variables,
    panel: text("view") || null,
    editing: text("edit") === "1",
    turned: textsOf(search.rows).filter((row) => row !== ""),
  };
}

export interface ListView {
  text: string;
  tags: string[];
}

export interface ListSearch {
  search?: string;
  tag?: string[];
}

export function encodeListView({ text, tags }: ListView): ListSearch {
  return { ...(text !== "" && { search: text }), ...(tags.length > 0 && { tag: tags }) };
}

export function decodeListView(search: Record<string, unknown>): ListView {
  return { text: typeof search.search === "string" ? search.search : "", tags: textsOf(search.tag) };
}

function textsOf(value: unknown): string[] {
  const list = Array.isArray(value) ? value : [value];
  return list.filter((one): one is string => typeof one === "string").slice(0, 500);
}
