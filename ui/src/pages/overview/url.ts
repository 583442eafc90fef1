// The overview as URL parameters: time and clock. It stands on a wall as often as on a desk, so it refreshes by itself.
import { type ClockSearch, decodeClock, encodeClock } from "../../lib/time/clock";
import { decodeTimeView, encodeTimeView, type TimeSearch, type TimeView } from "../../lib/time/view";

const usualRefreshS = 30;

export function encodeOverviewView(view: TimeView): TimeSearch & ClockSearch {
  return { ...encodeTimeView({ ...view, refreshS: null }), ...encodeClock(view, usualRefreshS) };
}

/** Never fails: what is malformed becomes its default. */
export function decodeOverviewView(search: Record<string, unknown>): TimeView {
  return { ...decodeTimeView(search), ...decodeClock(search, usualRefreshS) };
}
