// Is the palette open, and what does the page on the screen add to it.
import { useEffect, useRef, useSyncExternalStore } from "react";
import type { IconName } from "../../components/Icon";

export interface PaletteAction {
  label: string;
  icon: IconName;
  group: "Do" | "Time range";
  /** What the same does at the keyboard. */
  keys?: string[];
  detail?: string;
  run: () => void;
}

let opened = false;
const listeners = new Set<() => void>();
const registered: { current: PaletteAction[] }[] = [];

export function setPaletteOpen(open: boolean): void {
  opened = open;
  for (const listener of listeners) listener();
}

export function usePaletteOpen(): boolean {
  return useSyncExternalStore(subscribe, () => opened);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** What the pages on the screen offer at this moment. */
export function pageActions(): PaletteAction[] {
  return registered.flatMap(({ current }) => current);
}

/** Adds to the palette while the component is on the page. */
export function usePaletteActions(actions: PaletteAction[]): void {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    registered.push(latest);
    return () => {
      registered.splice(registered.indexOf(latest), 1);
    };
  }, []);
}
