import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { fetchAlerts } from "../../api/alerts";
import { fetchChanges } from "../../api/changes";
import { bounds, type Question } from "../../lib/query/question";
import { type Marker, markersOf } from "./markers";

export interface Markers {
  markers: Marker[];
  /** Something did not come. */
  missing: boolean;
}

/** What happened in the time of a question. */
export function useMarkers({ query, span, generation }: Question): Markers {
  const { startMs, endMs } = span;
  const range = bounds(span);
  const changes = useQuery({
    queryKey: ["changes", range, generation],
    queryFn: ({ signal }) => fetchChanges(range, signal),
    placeholderData: keepPreviousData,
  });
  const alerts = useQuery({
    queryKey: ["alerts", "list"],
    queryFn: ({ signal }) => fetchAlerts(signal),
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  });
  const markers = useMemo(
    () => markersOf(changes.data ?? [], alerts.data ?? [], query, { startMs, endMs }),
    [changes.data, alerts.data, query, startMs, endMs],
  );
  return { markers, missing: changes.error !== null || alerts.error !== null };
}
