// What a saved view keeps of the page: its address, without what is only looked at for a moment.
import type { SavedView } from "../../../api/views";
import { decodeLogsView, encodeLogsView, type LogsSearch, type LogsView } from "../url";

export function viewState(view: LogsView): LogsSearch {
  return encodeLogsView({ ...view, record: null, patterns: { ...view.patterns, open: null } });
}

/** The stored state as this version of the page understands it. */
export function stateOf({ state }: Pick<SavedView, "state">): LogsSearch {
  return viewState(decodeLogsView(state));
}

export function linkOf(state: LogsSearch): string {
  return `${window.location.origin}/logs?${new URLSearchParams(Object.entries(state))}`;
}

export function isSameState(a: LogsSearch, b: LogsSearch): boolean {
  const text = (state: LogsSearch) => JSON.stringify(Object.entries(state).sort());
  return text(a) === text(b);
}
