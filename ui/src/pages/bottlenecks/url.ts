// The bottleneck pages as URL parameters. Defaults are left out, so that the plain view has a plain address.
import { type Clock, type ClockSearch, decodeClock, encodeClock } from "../../lib/time/clock";

/** What is looked at at night must not stand still: these pages refresh by themselves unless told otherwise. */
export const usualRefreshS = 15;

export const listStates = ["all", "open", "not_localised", "closed"] as const;
export type ShownState = (typeof listStates)[number];

export interface ListView extends Clock {
  filter: string;
  state: ShownState;
}

export interface ListSearch extends ClockSearch {
  filter?: string;
  state?: Exclude<ShownState, "all">;
}

export function encodeListView(view: ListView): ListSearch {
  return {
    ...(view.filter !== "" && { filter: view.filter }),
    ...(view.state !== "all" && { state: view.state }),
    ...encodeClock(view, usualRefreshS),
  };
}

/** Never fails: what is malformed becomes its default. */
export function decodeListView(search: Record<string, unknown>): ListView {
  return {
    filter: typeof search.filter === "string" ? search.filter : "",
    state: listStates.find((state) => state === search.state) ?? "all",
    ...decodeClock(search, usualRefreshS),
  };
}

export interface VerdictView extends Clock {
  /** Null: the newest. */
  rev: number | null;
  /** The finding that is open, by its index. */
  evidence: number | null;
  /** The funnel shows what is kept, not what is passed on. */
  kept: boolean;
}

export interface VerdictSearch extends ClockSearch {
  rev?: string;
  evidence?: string;
  zoom?: "kept";
}

export const plainVerdict: VerdictView = {
  rev: null,
  evidence: null,
  kept: false,
  zone: "utc",
  refreshS: usualRefreshS,
};

export function encodeVerdictView(view: VerdictView): VerdictSearch {
  return {
    ...(view.rev !== null && { rev: String(view.rev) }),
    ...(view.evidence !== null && { evidence: String(view.evidence) }),
    ...(view.kept && { zoom: "kept" as const }),
    ...encodeClock(view, usualRefreshS),
  };
}

export function decodeVerdictView(search: Record<string, unknown>): VerdictView {
  return {
    rev: countOf(search.rev, 1),
    evidence: countOf(search.evidence, 0),
    kept: search.zoom === "kept",
    ...decodeClock(search, usualRefreshS),
  };
}

function countOf(value: unknown, least: number): number | null {
  const number = typeof value === "string" && /^\d{1,6}$/.test(value) ? Number(value) : Number.NaN;
  return number >= least ? number : null;
}
