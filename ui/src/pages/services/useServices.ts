import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { fetchService, fetchServiceMap, fetchServices, fetchSpanCounts } from "../../api/services";
import { fieldCondition } from "../../lib/query/edit";
import type { Span } from "../../lib/time/range";

function within({ startMs, endMs }: Span): { start: string; end: string } {
  return { start: new Date(startMs).toISOString(), end: new Date(endMs).toISOString() };
}

export function useServices(span: Span, generation: number) {
  return useQuery({
    queryKey: ["services", "list", span.startMs, span.endMs, generation],
    queryFn: ({ signal }) => fetchServices(within(span), signal),
    placeholderData: keepPreviousData,
  });
}

/** One service; another one's numbers never stand in for it. */
export function useService(service: string, span: Span, generation: number, enabled = true) {
  return useQuery({
    queryKey: ["services", "one", service, span.startMs, span.endMs, generation],
    queryFn: ({ signal }) => fetchService(service, within(span), signal),
    placeholderData: (previous, query) => (query?.queryKey[2] === service ? previous : undefined),
    enabled,
  });
}

export function useServiceMap(span: Span, generation: number) {
  return useQuery({
    queryKey: ["services", "map", span.startMs, span.endMs, generation],
    queryFn: ({ signal }) => fetchServiceMap(within(span), signal),
    placeholderData: keepPreviousData,
  });
}

/** Where a service runs: as its numbers say, or, where they do not, as its spans do. */
export function useHostsOf(service: string, known: string[], span: Span, generation: number) {
  const query = fieldCondition("service", service);
  const { data, isPending } = useQuery({
    queryKey: ["services", "hosts", query, span.startMs, span.endMs, generation],
    queryFn: ({ signal }) => fetchSpanCounts("host", query, within(span), signal),
    placeholderData: (previous, before) => (before?.queryKey[2] === query ? previous : undefined),
    enabled: known.length === 0,
  });
  const hosts = known.length > 0 ? known : (data ?? []).map(({ value }) => value);
  return { hosts, isPending: known.length === 0 && isPending };
}
