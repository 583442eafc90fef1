import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { fetchPoints, searchTraces } from "../../api/traces";
import { filterOnly } from "../../lib/query/edit";
import { bounds, type Question, queryText } from "../../lib/query/question";
import type { TracesView } from "./url";

/** As many points as a screen can tell apart. */
const pointLimit = 2000;

export function useTraceSearch(
  { query, span, generation }: Question,
  view: Pick<TracesView, "order" | "limit">,
) {
  const request = { query: queryText(query), ...bounds(span), order: view.order, limit: view.limit };
  return useQuery({
    queryKey: ["traces", "search", request, generation],
    queryFn: ({ signal }) => searchTraces(request, signal),
    placeholderData: keepPreviousData,
  });
}

export function usePoints({ query, span, generation }: Question) {
  const request = { query: filterOnly(query), ...bounds(span), limit: pointLimit };
  return useQuery({
    queryKey: ["traces", "points", request, generation],
    queryFn: ({ signal }) => fetchPoints(request, signal),
    placeholderData: keepPreviousData,
  });
}
