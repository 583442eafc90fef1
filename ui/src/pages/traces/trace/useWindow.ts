import { useDebouncedCallback } from "@mantine/hooks";
import { useMemo, useState } from "react";
import type { TraceView } from "../../../lib/trace/view";
import { clamped, isWhole, type Window, wholeWindow } from "../../../lib/trace/window";

const settleMs = 250;

/** The window follows the hand at once, and the address when the hand rests. */
export function useWindow(view: TraceView, linked: Window | null, onSettled: (zoom: Window | null) => void) {
  const whole = wholeWindow(view.durationNs);
  const shown = linked ? clamped(linked, view.durationNs) : whole;
  const key = `${shown.fromNs}-${shown.toNs}`;
  const [own, setOwn] = useState<{ key: string; window: Window } | null>(null);
  const settle = useDebouncedCallback(
    (window: Window) => onSettled(isWhole(window, view.durationNs) ? null : window),
    settleMs,
  );
  // What came by the address in the meantime wins.
  const window = own !== null && own.key === key ? own.window : shown;
  const kept = useMemo(() => ({ fromNs: window.fromNs, toNs: window.toNs }), [window.fromNs, window.toNs]);
  const change = (next: Window) => {
    setOwn({ key, window: next });
    settle(next);
  };
  return [kept, change] as const;
}
