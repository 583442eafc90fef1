import { type RefObject, useLayoutEffect, useRef } from "react";

/** Once a virtual list has measured what was just drawn: one drawing later it knows, in the next it shows it. */
export function afterMeasuring(act: () => void): void {
  requestAnimationFrame(() => requestAnimationFrame(act));
}

/**
 * Scrolls a record that was just opened into view: as far as its end, but never past its own row.
 */
export function useReveal(
  scroller: RefObject<HTMLDivElement | null>,
  headerPx: number,
): (recordId: string) => void {
  const wanted = useRef<string | null>(null);
  useLayoutEffect(() => {
    const id = wanted.current;
    const row = id === null ? null : document.getElementById(`row-${id}`);
    const detail = row?.parentElement?.querySelector<HTMLElement>('[role="row"][aria-level="2"]');
    if (!row || !detail || row.getAttribute("aria-expanded") !== "true") return;
    wanted.current = null;
    afterMeasuring(() => {
      const view = scroller.current?.getBoundingClientRect();
      if (!view) return;
      const hidden = detail.getBoundingClientRect().bottom - view.bottom;
      const room = row.getBoundingClientRect().top - view.top - headerPx;
      if (hidden > 0) scroller.current?.scrollBy({ top: Math.min(hidden, room) });
    });
  });
  return (recordId) => {
    wanted.current = recordId;
  };
}
