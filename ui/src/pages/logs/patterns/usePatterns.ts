import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { fetchPatterns } from "../../../api/patterns";
import { fetchRecord } from "../../../api/record";
import { filterOnly } from "../../../lib/query/edit";
import { bounds, type Question } from "../../../lib/query/question";

const patternLimit = 100;
const bucketCount = 60;

/** The patterns of what the filter selects; stages do not change what they are made of. */
export function usePatterns({ query, span, generation }: Question, enabled: boolean) {
  const request = {
    query: filterOnly(query),
    ...bounds(span),
    limit: patternLimit,
    buckets: bucketCount,
  };
  return useQuery({
    queryKey: ["logs", "patterns", request, generation],
    queryFn: ({ signal }) => fetchPatterns(request, signal),
    placeholderData: keepPreviousData,
    enabled,
  });
}

export function useExample(id: string) {
  return useQuery({
    queryKey: ["logs", "record by id", id],
    queryFn: ({ signal }) => fetchRecord(id, signal),
  });
}
