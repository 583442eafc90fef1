// The search for traces as URL parameters. Defaults are left out, so that the plain view has a plain address.
import type { TraceOrder } from "../../api/traces";
import {
  decodeTimeView,
  encodeTimeView,
  plainTime,
  type TimeSearch,
  type TimeView,
} from "../../lib/time/view";

export interface TracesView extends TimeView {
  query: string;
  order: TraceOrder;
  /** How many traces are asked for. */
  limit: number;
}

export interface TracesSearch extends TimeSearch {
  query?: string;
  order?: Exclude<TraceOrder, "newest">;
  limit?: string;
}

export const limits = [50, 200, 1000] as const;

export const plainView: TracesView = { ...plainTime, query: "", order: "newest", limit: limits[0] };

export function encodeTracesView(view: TracesView): TracesSearch {
  return {
    ...(view.query !== "" && { query: view.query }),
    ...encodeTimeView(view),
    ...(view.order !== "newest" && { order: view.order }),
    ...(view.limit !== limits[0] && { limit: String(view.limit) }),
  };
}

/** Never fails: what is malformed becomes its default. `start` and `end` are other pages' names of the bounds. */
export function decodeTracesView(search: Record<string, unknown>): TracesView {
  const { start, end } = search;
  const time = decodeTimeView({ ...(start !== undefined && { from: start, to: end }), ...search });
  return {
    ...time,
    query: typeof search.query === "string" ? search.query : "",
    order: search.order === "slowest" || search.order === "oldest" ? search.order : "newest",
    limit: limits.find((limit) => String(limit) === search.limit) ?? limits[0],
  };
}
