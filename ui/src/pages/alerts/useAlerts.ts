import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { type Alert, fetchAlert, fetchAlerts } from "../../api/alerts";
import { useRanges } from "../../components/chart/useAnswers";
import { type Cell, cellsByTimes, cellsOf, keyOf, mergedCells, stripGrid, stripQuery } from "./history";

/** Every alert; one answer for the list and the overview. */
export function useAlerts(refreshS: number | null) {
  return useQuery({
    queryKey: ["alerts", "list"],
    queryFn: ({ signal }) => fetchAlerts(signal),
    refetchInterval: refreshS === null ? false : refreshS * 1000,
    placeholderData: keepPreviousData,
    staleTime: 0,
  });
}

/** One alert; another one never stands in for it. */
export function useAlert(fingerprint: string, refreshS: number | null) {
  return useQuery({
    queryKey: ["alerts", "one", fingerprint],
    queryFn: ({ signal }) => fetchAlert(fingerprint, signal),
    refetchInterval: refreshS === null ? false : refreshS * 1000,
    staleTime: 0,
  });
}

/** The day of each alert of these rules: one question for all of them. */
export function useStrips(names: string[], nowMs: number): (alert: Alert) => Cell[] {
  const grid = stripGrid(nowMs);
  const text = stripQuery([...new Set(names)].sort());
  const [answer] = useRanges([
    { text, grid, generation: Math.floor(nowMs / 60_000), enabled: text !== null },
  ]);
  const series = answer?.data?.series;
  const { startS, endS, stepS } = grid;
  const known = useMemo(() => cellsOf(series ?? [], { startS, endS, stepS }), [series, startS, endS, stepS]);
  return (alert) => mergedCells(known.get(keyOf(alert.labels)), cellsByTimes(alert, grid));
}
