// Answers of PromQL for charts and tables, on every page the same way.
import { keepPreviousData, useQueries } from "@tanstack/react-query";
import { queryInstant, queryRange } from "../../api/prometheus";
import { onForget } from "../../api/scope";
import type { Grid } from "../../lib/promql/range";
import { RangeCache } from "../../lib/promql/rangeCache";

/** Of the whole app: every panel with the same query goes on from the same answer. */
export const rangeCache = new RangeCache();
onForget(() => rangeCache.clear());
export const instantLimit = 1000;

export interface Asked {
  /** Null: nothing to ask. */
  text: string | null;
  grid: Grid;
  generation: number;
  enabled: boolean;
}

function rangeOptions({ text, grid, generation, enabled }: Asked) {
  return {
    queryKey: ["prom", "range", text, grid, generation],
    queryFn: ({ signal }: { signal: AbortSignal }) =>
      rangeCache.answer(text ?? "", grid, Date.now(), (part) =>
        queryRange({ query: text ?? "", ...part }, signal),
      ),
    enabled: enabled && text !== null && text.trim() !== "",
    placeholderData: keepPreviousData,
  };
}

/** One answer per query, in their order. */
export function useRanges(asked: Asked[]) {
  return useQueries({ queries: asked.map(rangeOptions) });
}

/** One value per series, at one instant. */
export function useInstants(
  asked: { text: string | null; timeS: number; generation: number; enabled: boolean }[],
  limit: number = instantLimit,
) {
  return useQueries({
    queries: asked.map(({ text, timeS, generation, enabled }) => ({
      queryKey: ["prom", "instant", text, timeS, limit, generation],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        queryInstant({ query: text ?? "", timeS, limit }, signal),
      enabled: enabled && text !== null && text.trim() !== "",
      placeholderData: keepPreviousData,
    })),
  });
}
