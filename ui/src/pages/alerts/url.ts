// The alerts pages as URL parameters. Defaults are left out, so that the plain view has a plain address.
import { type Clock, type ClockSearch, decodeClock, encodeClock } from "../../lib/time/clock";
import { type Range, resolveRange } from "../../lib/time/range";
import { type Severity, type Sort, type State, severities, sorts, states } from "./model";

/** What is looked at at night must not stand still: these pages refresh by themselves unless told otherwise. */
export const usualRefreshS = 15;

export interface AlertsView extends Clock {
  filter: string;
  /** Empty: all that is open. */
  states: State[];
  /** Empty: all. */
  severities: Severity[];
  sort: Sort;
}

export interface AlertsSearch extends ClockSearch {
  filter?: string;
  state?: string;
  severity?: string;
  sort?: Sort;
}

export const plainView: AlertsView = {
  filter: "",
  states: [],
  severities: [],
  sort: "worst",
  zone: "utc",
  refreshS: usualRefreshS,
};

export function encodeAlertsView(view: AlertsView): AlertsSearch {
  return {
    ...(view.filter !== "" && { filter: view.filter }),
    ...(view.states.length > 0 && { state: view.states.join(",") }),
    ...(view.severities.length > 0 && { severity: view.severities.join(",") }),
    ...(view.sort !== "worst" && { sort: view.sort }),
    ...encodeClock(view, usualRefreshS),
  };
}

/** Never fails: what is malformed becomes its default. */
export function decodeAlertsView(search: Record<string, unknown>): AlertsView {
  return {
    filter: textOf(search.filter),
    states: chosen(states, search.state),
    severities: chosen(severities, search.severity),
    sort: sorts.find((sort) => sort === search.sort) ?? "worst",
    ...decodeClock(search, usualRefreshS),
  };
}

export interface AlertView extends Clock {
  /** Null: as long as the alert needs. */
  range: Range | null;
  /** Every series of the rule's query, not only the alert's own. */
  every: boolean;
}

export interface AlertSearch extends ClockSearch {
  from?: string;
  to?: string;
  series?: "all";
}

export function encodeAlertView(view: AlertView): AlertSearch {
  return {
    ...(view.range && { from: view.range.from, to: view.range.to }),
    ...(view.every && { series: "all" as const }),
    ...encodeClock(view, usualRefreshS),
  };
}

export function decodeAlertView(search: Record<string, unknown>): AlertView {
  const range = { from: textOf(search.from), to: textOf(search.to) || "now" };
  return {
    range: resolveRange(range, Date.now()) ? range : null,
    every: search.series === "all",
    ...decodeClock(search, usualRefreshS),
  };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function chosen<T extends string>(known: readonly T[], value: unknown): T[] {
  const words = textOf(value).split(",");
  return known.filter((word) => words.includes(word));
}

export interface SilenceSearch {
  filter?: string;
  zone?: "local";
}

export function encodeSilenceView({ filter, zone }: { filter: string; zone: Clock["zone"] }): SilenceSearch {
  return { ...(filter !== "" && { filter }), ...(zone === "local" && { zone: "local" as const }) };
}

export function decodeSilenceView(search: Record<string, unknown>): { filter: string; zone: Clock["zone"] } {
  return { filter: textOf(search.filter), zone: search.zone === "local" ? "local" : "utc" };
}
