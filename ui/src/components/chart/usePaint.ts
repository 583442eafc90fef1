import { useComputedColorScheme } from "@mantine/core";
import { type RefObject, useCallback, useRef } from "react";
import { type Paint, paintOf } from "./paint";

/** Colours for a canvas, read from the page once per scheme: a frame asks for hundreds of them. */
export function usePaint(element: RefObject<Element | null>): () => Paint | null {
  const scheme = useComputedColorScheme();
  const kept = useRef<{ scheme: string; paint: Paint } | null>(null);
  return useCallback(() => {
    if (!element.current) return null;
    if (kept.current?.scheme !== scheme)
      kept.current = { scheme, paint: remembering(paintOf(element.current)) };
    return kept.current.paint;
  }, [element, scheme]);
}

function remembering(paint: Paint): Paint {
  const known = new Map<string, string>();
  const once = (key: string, make: () => string) => {
    const before = known.get(key);
    if (before !== undefined) return before;
    const made = make();
    known.set(key, made);
    return made;
  };
  return {
    font: paint.font,
    role: (role) => once(role, () => paint.role(role)),
    series: (colour, alpha) => once(`${colour} ${alpha ?? ""}`, () => paint.series(colour, alpha)),
  };
}
