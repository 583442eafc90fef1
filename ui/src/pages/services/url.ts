// The services pages as URL parameters.
import { decodeTimeView, encodeTimeView, type TimeSearch, type TimeView } from "../../lib/time/view";
import { type SortKey, sortKeys } from "./rows";

export interface ServicesView extends TimeView {
  filter: string;
  sort: SortKey;
  reverse: boolean;
}

export interface ServicesSearch extends TimeSearch {
  filter?: string;
  sort?: SortKey;
  reverse?: "1";
}

export function encodeServicesView(view: ServicesView): ServicesSearch {
  return {
    ...(view.filter !== "" && { filter: view.filter }),
    ...(view.sort !== "worst" && { sort: view.sort }),
    ...(view.reverse && { reverse: "1" as const }),
    ...encodeTimeView(view),
  };
}

/** Never fails: what is malformed becomes its default. */
export function decodeServicesView(search: Record<string, unknown>): ServicesView {
  return {
    ...decodeTimeView(search),
    filter: typeof search.filter === "string" ? search.filter : "",
    sort: sortKeys.find((key) => key === search.sort) ?? "worst",
    reverse: search.reverse === "1",
  };
}

/** How the map makes room: by itself above 30 nodes, never, callers' leaves as one, or by the names' beginnings. */
export const groupings = ["auto", "none", "leaves", "prefix"] as const;
export type Grouping = (typeof groupings)[number];

export interface MapView extends TimeView {
  /** The node whose drawer is open. */
  node: string | null;
  find: string;
  group: Grouping;
}

export interface MapSearch extends TimeSearch {
  node?: string;
  find?: string;
  group?: Grouping;
}

export function encodeMapView(view: MapView): MapSearch {
  return {
    ...(view.node !== null && { node: view.node }),
    ...(view.find !== "" && { find: view.find }),
    ...(view.group !== "auto" && { group: view.group }),
    ...encodeTimeView(view),
  };
}

export function decodeMapView(search: Record<string, unknown>): MapView {
  return {
    ...decodeTimeView(search),
    node: typeof search.node === "string" && search.node !== "" ? search.node : null,
    find: typeof search.find === "string" ? search.find : "",
    group: groupings.find((group) => group === search.group) ?? "auto",
  };
}
