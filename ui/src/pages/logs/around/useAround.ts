import { useInfiniteQuery } from "@tanstack/react-query";
import { type Context, fetchContext, type Same } from "../../../api/context";
import type { LogRecord } from "../../../api/logs";

const firstLines = 20;
const moreLines = 50;

interface Page {
  id: string;
  before: number;
  after: number;
}

export interface Around {
  /** Oldest first, the record among them. */
  lines: LogRecord[];
  same: Context["same"];
  moreBefore: boolean;
  moreAfter: boolean;
}

/** The lines around a record, from its own page outwards. */
export function useAround(record: LogRecord, same: Same) {
  const query = useInfiniteQuery({
    queryKey: ["logs", "context", record.id, same],
    queryFn: ({ pageParam, signal }) => fetchContext({ ...pageParam, same }, signal),
    initialPageParam: { id: record.id, before: firstLines, after: firstLines } as Page,
    getPreviousPageParam: (first): Page | undefined => {
      const oldest = first.before[0];
      return first.more_before && oldest ? { id: oldest.id, before: moreLines, after: 0 } : undefined;
    },
    getNextPageParam: (last): Page | undefined => {
      const newest = last.after.at(-1);
      return last.more_after && newest ? { id: newest.id, before: 0, after: moreLines } : undefined;
    },
  });
  return { query, around: query.data && joined(query.data.pages, record.id) };
}

/** Each page is around a record of its neighbour: only the first one's own record is a new line. */
export function joined(pages: Context[], recordId: string): Around {
  const lines = pages.flatMap((page) => {
    const own = page.record.id === recordId ? [page.record] : [];
    return [...page.before, ...own, ...page.after];
  });
  return {
    lines,
    same: pages.find((page) => page.record.id === recordId)?.same ?? {},
    moreBefore: pages[0]?.more_before ?? false,
    moreAfter: pages.at(-1)?.more_after ?? false,
  };
}
