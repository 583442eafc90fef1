import { useEffect, useRef } from "react";
import { readPreferences } from "../lib/preferences";
import { keyName, nextStep } from "../lib/shortcuts";

const sequenceMs = 1000;
const typing = "input, textarea, select, [contenteditable], [role=dialog], dialog";
const activatable = "button, a, summary, [role=button]";

/** Binds keys while the component is on the page. Off inside inputs and dialogs, and when the person says so. */
export function useShortcuts(actions: Record<string, () => void>): void {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    let pending: string | null = null;
    let timer = 0;
    const onKey = (event: KeyboardEvent) => {
      if (!wanted(event)) return;
      window.clearTimeout(timer);
      const step = nextStep(Object.keys(latest.current), pending, keyName(event));
      pending = step.pending;
      if (step.fire !== null || pending !== null) event.preventDefault();
      if (step.fire !== null) latest.current[step.fire]?.();
      timer = window.setTimeout(() => {
        pending = null;
      }, sequenceMs);
    };
    window.addEventListener("keydown", onKey);
    return () => {
      window.clearTimeout(timer);
      window.removeEventListener("keydown", onKey);
    };
  }, []);
}

function wanted(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return false;
  if (!readPreferences().shortcuts) return false;
  const target = event.target instanceof Element ? event.target : null;
  if (target?.closest(typing)) return false;
  return !(event.key === "Enter" && target?.closest(activatable));
}
