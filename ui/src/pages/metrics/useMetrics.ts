import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { fetchLabelValues, fetchMetadata, fetchSeries, parseQuery } from "../../api/prometheus";
import type { Span } from "../../lib/time/range";

export const seriesLimit = 10_000;

export function useParse(text: string) {
  return useQuery({
    queryKey: ["prom", "parse", text],
    queryFn: ({ signal }) => parseQuery(text, signal),
    enabled: text.trim() !== "",
    // Without an answer the query is not underlined; running it will say what is wrong.
    retry: false,
  });
}

/** Types, units and helps change with a program's version: once per visit is enough. */
export function useMetadata() {
  return useQuery({
    queryKey: ["prom", "metadata"],
    queryFn: ({ signal }) => fetchMetadata(signal),
    gcTime: Number.POSITIVE_INFINITY,
  });
}

/** A day at a time, so that the list does not change with every refresh. */
function wide(span: Span) {
  const dayS = 86_400;
  return {
    startS: Math.floor(span.startMs / 1000 / dayS) * dayS,
    endS: Math.ceil(span.endMs / 1000 / dayS) * dayS,
  };
}

export function useMetricNames(span: Span) {
  const within = wide(span);
  return useQuery({
    queryKey: ["prom", "names", within],
    queryFn: ({ signal }) => fetchLabelValues("__name__", within, signal),
    placeholderData: keepPreviousData,
    // New metrics come while the page is open.
    staleTime: 60_000,
  });
}

export function useMetricSeries(metric: string | null, span: Span) {
  const within = wide(span);
  return useQuery({
    queryKey: ["prom", "series", metric, within],
    queryFn: ({ signal }) =>
      fetchSeries({ ...within, match: [`{__name__=${JSON.stringify(metric)}}`], limit: seriesLimit }, signal),
    enabled: metric !== null,
  });
}
