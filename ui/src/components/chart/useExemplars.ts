import { keepPreviousData, useQueries } from "@tanstack/react-query";
import { queryExemplars } from "../../api/prometheus";
import { answersInValues, type Exemplar, exemplarsOf, mayHaveExemplars } from "../../lib/chart/exemplars";
import { limiter } from "../../lib/limit";
import type { Span } from "../../lib/time/range";

export interface AskedExemplars {
  /** Null: nothing to ask. */
  text: string | null;
  span: Span;
  generation: number;
  enabled: boolean;
  /** Asked for although the query does not look like it; or never. */
  wanted?: boolean | undefined;
  /** Are the values on the chart's axis? By itself, when the query answers with a quantile. */
  onAxis?: boolean | undefined;
}

/** Beside the chart's own answer, which goes first. */
const inFlight = limiter(2);

/** The exemplars of each query. A chart lives without them, so that what fails is only not there. */
export function useExemplars(asked: AskedExemplars[]): Exemplar[][] {
  return useQueries({
    queries: asked.map(({ text, span, generation, enabled, wanted, onAxis }) => {
      const isWanted = text !== null && text.trim() !== "" && (wanted ?? mayHaveExemplars(text));
      // Another chart may have asked for the same; who wants none gets none.
      const query = isWanted ? text : "";
      return {
        queryKey: ["prom", "exemplars", query, span.startMs, span.endMs, generation],
        queryFn: ({ signal }: { signal: AbortSignal }) =>
          inFlight(
            () => queryExemplars({ query, startS: span.startMs / 1000, endS: span.endMs / 1000 }, signal),
            signal,
          ),
        select: (points: Awaited<ReturnType<typeof queryExemplars>>) =>
          exemplarsOf(points, onAxis ?? answersInValues(query)),
        enabled: enabled && isWanted,
        placeholderData: keepPreviousData,
      };
    }),
    combine: (results) => results.map(({ data }) => data ?? none),
  });
}

const none: Exemplar[] = [];
