import { useEffect, useRef } from "react";
import { readPreferences } from "../lib/preferences";
import { keyName, nextStep } from "../lib/shortcuts";

const sequenceMs = 1000;
const typing = "input, textarea, select, [contenteditable], [role=dialog], dialog";
const activatable = "button, a, summary, [role=button]";

type Actions = Record<string, () => void>;

// Together, so that the second key of "g l" is not taken for a single key of another component.
const registered: { current: Actions }[] = [];
let pending: string | null = null;
let timer = 0;

/** Binds keys while the component is on the page. Off inside inputs and dialogs, and when the person says so. */
export function useShortcuts(actions: Actions): void {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    if (registered.length === 0) window.addEventListener("keydown", onKey);
    registered.push(latest);
    return () => {
      registered.splice(registered.indexOf(latest), 1);
      if (registered.length === 0) window.removeEventListener("keydown", onKey);
    };
  }, []);
}

function onKey(event: KeyboardEvent): void {
  if (!wanted(event)) return;
  window.clearTimeout(timer);
  const bindings = registered.flatMap(({ current }) => Object.keys(current));
  const { fire, pending: next } = nextStep(bindings, pending, keyName(event));
  pending = next;
  timer = window.setTimeout(() => {
    pending = null;
  }, sequenceMs);
  if (fire !== null || pending !== null) event.preventDefault();
  if (fire !== null) registered.find(({ current }) => fire in current)?.current[fire]?.();
}

function wanted(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return false;
  if (!readPreferences().shortcuts) return false;
  const target = event.target instanceof Element ? event.target : null;
  if (target?.closest(typing)) return false;
  return !(event.key === "Enter" && target?.closest(activatable));
}
