// Since when a live tail has followed its query, and whether it waits. Pure.

export interface LiveState {
  query: string;
  sinceMs: number;
  paused: boolean;
}

/** A new query begins anew, as its rows do; it waits if the one before did. */
export function nextLiveState(
  state: LiveState | null,
  live: boolean,
  query: string,
  nowMs: number,
): LiveState | null {
  if (!live) return null;
  if (state?.query === query) return state;
  return { query, sinceMs: nowMs, paused: state?.paused ?? false };
}
