import { useQuery } from "@tanstack/react-query";
import { fetchAmAlerts, fetchSilence, fetchSilences } from "../../../api/alertmanager";

const live = { refetchInterval: 15_000, staleTime: 0 };

export function useSilences() {
  return useQuery({
    queryKey: ["silences", "list"],
    queryFn: ({ signal }) => fetchSilences([], signal),
    ...live,
  });
}

/** Asked once: what somebody edits must not change under their hands. */
export function useSilence(id: string) {
  return useQuery({
    queryKey: ["silences", "one", id],
    queryFn: ({ signal }) => fetchSilence(id, signal),
    staleTime: 0,
  });
}

/** Everything that is open, for how many each silence matches; the form of a silence asks the same. */
export function useOpenAlerts() {
  return useQuery({
    queryKey: ["alertmanager", "alerts", "{}"],
    queryFn: ({ signal }) => fetchAmAlerts([], signal),
    ...live,
  });
}
