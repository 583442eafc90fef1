import { keepPreviousData, type QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { fetchDashboard } from "../../api/dashboards";
import { fetchLabelNames, fetchLabelValues, queryInstant } from "../../api/prometheus";
import type { BuiltIns } from "../../lib/dashboard/interpolate";
import type { Dashboard, VariableQuery } from "../../lib/dashboard/model";
import { readDashboard } from "../../lib/dashboard/read";
import { type Chosen, resolveVariables } from "../../lib/dashboard/resolve";
import { selectorText } from "../../lib/promql/legend";
import type { Span } from "../../lib/time/range";
import { dashboardKey } from "./keys";

export function useKept(uid: string) {
  return useQuery({
    queryKey: dashboardKey(uid),
    queryFn: ({ signal }) => fetchDashboard(uid, signal),
  });
}

export type ReadResult =
  | { dashboard: Dashboard; problem: null }
  | { dashboard: null; problem: string | null };

/** What a text says; a problem in words where it says nothing. */
export function useRead(text: string | undefined): ReadResult {
  return useMemo(() => (text === undefined ? { dashboard: null, problem: null } : readText(text)), [text]);
}

export function readText(text: string): ReadResult {
  try {
    return { dashboard: readDashboard(JSON.parse(text)), problem: null };
  } catch (cause) {
    return { dashboard: null, problem: cause instanceof Error ? cause.message : String(cause) };
  }
}

/** The values of all variables. Asked for anew with the range, where a variable says so. */
export function useVariables(dashboard: Dashboard | null, chosen: Chosen, builtIns: BuiltIns) {
  const client = useQueryClient();
  const variables = dashboard?.variables ?? [];
  const minuteS = 60;
  const moving = variables.some(({ onTime }) => onTime);
  const time = moving
    ? [Math.floor(builtIns.startMs / 1000 / minuteS), Math.floor(builtIns.endMs / 1000 / minuteS)]
    : [];
  return useQuery({
    queryKey: ["dashboard variables", JSON.stringify(variables), chosen, time],
    queryFn: () => resolveVariables(variables, chosen, builtIns, (query) => ask(client, query, builtIns)),
    enabled: dashboard !== null,
    placeholderData: keepPreviousData,
  });
}

function ask(client: QueryClient, query: VariableQuery, { startMs, endMs }: BuiltIns): Promise<string[]> {
  const span = { startMs, endMs };
  return client.fetchQuery({
    queryKey: ["prom", "variable", query, Math.floor(startMs / 60_000), Math.floor(endMs / 60_000)],
    queryFn: ({ signal }) => answer(query, span, signal),
    staleTime: 60_000,
  });
}

async function answer(query: VariableQuery, span: Span, signal: AbortSignal): Promise<string[]> {
  const within = { startS: Math.floor(span.startMs / 1000), endS: Math.ceil(span.endMs / 1000) };
  switch (query.kind) {
    case "values": {
      const match = query.selector ? [query.selector] : undefined;
      return fetchLabelValues(query.label, { ...within, match }, signal);
    }
    case "names":
      return fetchLabelNames(within, signal);
    case "metrics": {
      const names = await fetchLabelValues("__name__", within, signal);
      const pattern = new RegExp(query.pattern);
      return names.filter((name) => pattern.test(name));
    }
    case "result": {
      const { kind, series, text } = await queryInstant({ query: query.expr, timeS: within.endS }, signal);
      if (kind === "string") return [text ?? ""];
      // As Grafana writes them, because patterns in files are made for that.
      return series.map(
        ({ labels, times, values }) =>
          `${selectorText(labels)} ${values.at(-1) ?? ""} ${Math.round((times.at(-1) ?? 0) * 1000)}`,
      );
    }
  }
}
