import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { fetchHistogram, type LogRecord, type Order, searchLogs } from "../../api/logs";
import { fetchStatus } from "../../api/status";
import { bounds, type Question, queryText } from "../../lib/query/question";
import { instantOf, nanosOf } from "../../lib/time/nanos";
import type { RecordLink } from "./url";

const pageSize = 200;
const bucketCount = 120;

export function useSearch({ query, span, generation }: Question, order: Order) {
  const request = { query: queryText(query), ...bounds(span), order, limit: pageSize };
  return useInfiniteQuery({
    queryKey: ["logs", "search", request, generation],
    queryFn: ({ pageParam, signal }) => searchLogs({ ...request, cursor: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
  });
}

export function useHistogram({ query, span, generation }: Question) {
  const request = { query: queryText(query), ...bounds(span), buckets: bucketCount };
  return useQuery({
    queryKey: ["logs", "histogram", request, generation],
    queryFn: ({ signal }) => fetchHistogram(request, signal),
    placeholderData: keepPreviousData,
  });
}

/** One record by its link: every record of that nanosecond is asked for, and the one with the id is taken. */
export function useLinkedRecord(link: RecordLink | null) {
  return useQuery({
    queryKey: ["logs", "record", link],
    enabled: link !== null,
    queryFn: async ({ signal }): Promise<LogRecord | null> => {
      const nanos = link ? nanosOf(link.time) : null;
      if (!link || nanos === null) return null;
      const [start, end] = [instantOf(nanos), instantOf(nanos + 1n)];
      const answer = await searchLogs({ query: "*", start, end, order: "oldest", limit: 1000 }, signal);
      return answer.records.find((record) => record.id === link.id) ?? null;
    },
  });
}

export function useStatus(everyMs: number | false) {
  return useQuery({
    queryKey: ["status"],
    queryFn: ({ signal }) => fetchStatus(signal),
    refetchInterval: everyMs,
    staleTime: 0,
  });
}
