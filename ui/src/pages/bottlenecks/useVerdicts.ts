import { keepPreviousData, useQuery } from "@tanstack/react-query";
import {
  fetchEvidence,
  fetchOpenVerdicts,
  fetchSymptom,
  fetchVerdict,
  fetchVerdicts,
  type Stored,
  type StoredList,
  type Watch,
} from "../../api/bottlenecks";
import { limiter } from "../../lib/limit";
import { usualRefreshS } from "./url";

export const verdictsKey = ["verdicts"];
/** How many are listed; older ones are found by their links. */
export const listLimit = 200;

/** What goes on now, and whether somebody looks; one answer for the rail and every page that has a link to a verdict. */
function openQuery(refreshS: number | null) {
  return {
    queryKey: [...verdictsKey, "open"],
    queryFn: ({ signal }: { signal: AbortSignal }) => fetchOpenVerdicts(signal),
    refetchInterval: refreshS === null ? (false as const) : refreshS * 1000,
    placeholderData: keepPreviousData<StoredList>,
    staleTime: 5000,
    retry: false,
  };
}

export function useOpenVerdicts(refreshS: number | null = usualRefreshS) {
  return useQuery({ ...openQuery(refreshS), select: ({ verdicts }) => verdicts });
}

/** Undefined: not answered yet. */
export function useWatch(refreshS: number | null = usualRefreshS): Watch | undefined {
  return useQuery({ ...openQuery(refreshS), select: ({ watch, looked_at_s }) => ({ watch, looked_at_s }) })
    .data;
}

export function useVerdictList(refreshS: number | null) {
  return useQuery({
    queryKey: [...verdictsKey, "list"],
    queryFn: ({ signal }) => fetchVerdicts("all", listLimit, signal),
    refetchInterval: refreshS === null ? false : refreshS * 1000,
    staleTime: 0,
  });
}

/** One verdict; another one never stands in for it, another revision does until it is there. */
export function useVerdict(id: string, rev: number | null, refreshS: number | null) {
  return useQuery({
    queryKey: [...verdictsKey, "one", id, rev],
    queryFn: ({ signal }) => fetchVerdict(id, rev, signal),
    refetchInterval: refreshS === null || rev !== null ? false : refreshS * 1000,
    placeholderData: (old, query) => (query?.queryKey[2] === id ? old : undefined),
    staleTime: 0,
  });
}

/** What another revision showed stands in only where it is of the same requests. */
export function useSymptom({ id, rev, verdict: { symptom } }: Stored) {
  const requests = [symptom.service, symptom.operation, symptom.sli].join("\u0000");
  return useQuery({
    queryKey: [...verdictsKey, "symptom", id, requests, rev],
    queryFn: ({ signal }) => fetchSymptom(id, rev, signal),
    placeholderData: (old, query) =>
      query?.queryKey[2] === id && query.queryKey[3] === requests ? old : undefined,
    staleTime: 15_000,
  });
}

/** Six cards ask at once; the page itself goes first. */
const inFlight = limiter(3);

export function useEvidence(id: string, rev: number, at: number) {
  return useQuery({
    queryKey: [...verdictsKey, "evidence", id, rev, at],
    queryFn: ({ signal }) => inFlight(() => fetchEvidence(id, rev, at, signal), signal),
    staleTime: 60_000,
  });
}
