import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type ResultTable, searchLogs } from "../../../api/logs";
import { bounds, type Question } from "../../../lib/query/question";
import { type ChartQuestion, countQuestion } from "./question";

export interface Counted extends ChartQuestion {
  table: ResultTable | null;
  by: string | null;
}

/** Counts over time by a field; asked for while the tab is open and the query has no table of its own to draw. */
export function useCounts({ query, span, generation }: Question, by: string | null, enabled: boolean) {
  const asked = countQuestion(query, by, span);
  const request = { query: asked.query, ...bounds(span), order: "newest" as const, limit: 1 };
  return useQuery({
    queryKey: ["logs", "chart", request, generation],
    queryFn: async ({ signal }): Promise<Counted> => {
      const { table } = await searchLogs(request, signal);
      return { ...asked, table, by };
    },
    placeholderData: keepPreviousData,
    enabled,
  });
}
