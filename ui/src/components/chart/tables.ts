// `Shift T` turns every chart of the page into a table and back.
import { useSyncExternalStore } from "react";

let asTables = false;
const listeners = new Set<() => void>();

export function toggleTables(): void {
  asTables = !asTables;
  for (const listener of listeners) listener();
}

export function useTables(): boolean {
  return useSyncExternalStore(subscribe, () => asTables);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    // The next page begins with charts.
    if (listeners.size === 0) asTables = false;
  };
}
