import { useCallback, useEffect, useState } from "react";
import { defaultRange, isRelative, type Range, resolveRange, type Span } from "../../lib/time/range";

export interface LiveSpan {
  span: Span;
  /** The instant that "now" stands for in the span. */
  nowMs: number;
  /** Grows with every refresh, also where the span stays the same: part of what identifies an answer. */
  generation: number;
  refresh: () => void;
}

/**
 * Fixes a range to instants. "now" moves when the range or the question changes, on `refresh`, and every `everyMs`
 * unless `held`.
 */
export function useSpan(range: Range, question: string, everyMs: number | null, held: boolean): LiveSpan {
  const key = `${range.from} ${range.to} ${question}`;
  const [anchor, setAnchor] = useState(() => ({ key, nowMs: Date.now(), generation: 0 }));
  const refresh = useCallback(
    () => setAnchor((old) => ({ key, nowMs: Date.now(), generation: old.generation + 1 })),
    [key],
  );
  if (anchor.key !== key) refresh();

  const ticking = everyMs !== null && !held && isRelative(range);
  useEffect(() => {
    if (!ticking || everyMs === null) return;
    const timer = setInterval(() => {
      if (!document.hidden) refresh();
    }, everyMs);
    return () => clearInterval(timer);
  }, [ticking, everyMs, refresh]);

  const span = resolveRange(range, anchor.nowMs) ?? resolveRange(defaultRange, anchor.nowMs);
  if (!span) throw new Error("the default range has no span");
  return { span, nowMs: anchor.nowMs, generation: anchor.generation, refresh };
}
