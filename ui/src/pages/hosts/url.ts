// The hosts pages as URL parameters.
import { decodeTimeView, encodeTimeView, type TimeSearch, type TimeView } from "../../lib/time/view";
import { type SortKey, sortKeys } from "./rows";

export interface HostsView extends TimeView {
  filter: string;
  sort: SortKey;
  reverse: boolean;
}

export interface HostsSearch extends TimeSearch {
  filter?: string;
  sort?: SortKey;
  reverse?: "1";
}

export function encodeHostsView(view: HostsView): HostsSearch {
  return {
    ...(view.filter !== "" && { filter: view.filter }),
    ...(view.sort !== "saturation" && { sort: view.sort }),
    ...(view.reverse && { reverse: "1" as const }),
    ...encodeTimeView(view),
  };
}

/** Never fails: what is malformed becomes its default. */
export function decodeHostsView(search: Record<string, unknown>): HostsView {
  return {
    ...decodeTimeView(search),
    filter: typeof search.filter === "string" ? search.filter : "",
    sort: sortKeys.find((key) => key === search.sort) ?? "saturation",
    reverse: search.reverse === "1",
  };
}
