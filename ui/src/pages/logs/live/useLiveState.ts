import { useState } from "react";
import { type LiveState, nextLiveState } from "./liveState";

/** null: no live tail. Kept by the page, because its header tells it, too. */
export function useLiveState(
  live: boolean,
  query: string,
): [state: LiveState | null, pause: (paused: boolean) => void] {
  const [state, setState] = useState<LiveState | null>(null);
  const next = nextLiveState(state, live, query, Date.now());
  if (next !== state) setState(next);
  return [next, (paused) => setState(next && { ...next, paused })];
}
