import { keepPreviousData, useQueries, useQuery } from "@tanstack/react-query";
import { useRef } from "react";
import type { Facet } from "../../api/facets";
import { chosenFields, filterBeside, filterOnly } from "../../lib/query/edit";
import { bounds, type Question } from "../../lib/query/question";
import { useQueryLanguage } from "../query/language";
import { usePreferences } from "../usePreferences";

const valueLimit = 10;
const searchLimit = 50;

export interface FacetsState {
  /** Their fields in order, as far as it is known. */
  names: string[];
  /** undefined: nothing came yet. */
  facets: Facet[] | undefined;
  sampled: boolean;
  counting: boolean;
  error: Error | null;
}

/**
 * The facets of what a query matches. A field of which the query asks for single values is counted as if it did not:
 * what else could be chosen must stay in sight.
 */
export function useFacets({ query, span, generation }: Question, shown: boolean): FacetsState {
  const language = useQueryLanguage();
  const fields = usePreferences()[language.facetsKey];
  const names = fields?.join(",");
  const request = { query: filterOnly(query), ...bounds(span), fields: names, limit: valueLimit };
  const all = useQuery({
    queryKey: [language.name, "facets", request, generation],
    queryFn: ({ signal }) => language.facets(request, signal),
    placeholderData: keepPreviousData,
    enabled: shown && names !== "",
  });
  const counted = all.data?.fields.map(({ field }) => field) ?? [];
  const chosen = chosenFields(query).filter(
    (field) => !language.uncounted.includes(field) && (!fields || fields.includes(field)),
  );
  const beside = useQueries({
    queries: chosen.map((field) => {
      const own = { query: filterBeside(query, field), ...bounds(span), fields: field, limit: valueLimit };
      return {
        queryKey: [language.name, "facets", own, generation],
        queryFn: ({ signal }: { signal: AbortSignal }) => language.facets(own, signal),
        placeholderData: keepPreviousData,
        enabled: shown,
      };
    }),
  });
  const own = beside.flatMap(({ data }) => data?.fields ?? []);
  const order = useStableOrder(fields ?? [...counted, ...chosen], fields === null && all.data !== undefined);
  const found = [...own, ...(all.data?.fields ?? [])];
  const known = all.data !== undefined || names === "";
  return {
    names: order,
    facets: known ? order.flatMap((name) => found.find(({ field }) => field === name) ?? []) : undefined,
    sampled: all.data?.sampled ?? false,
    counting: all.isFetching || beside.some(({ isFetching }) => isFetching),
    error: all.error ?? beside.find(({ error }) => error !== null)?.error ?? null,
  };
}

/**
 * The server orders by how often a field occurs, which changes with every filter. A facet keeps its place, and one of
 * which a value is chosen does not go away.
 */
function useStableOrder(names: string[], keep: boolean): string[] {
  const order = useRef<string[]>([]);
  if (!keep) return names;
  const kept = order.current.filter((name) => names.includes(name));
  const next = [...new Set([...kept, ...names])];
  if (next.join() !== order.current.join()) order.current = next;
  return order.current;
}

/** The values of one field that begin with a prefix; asked for while `open`. */
export function useFacetValues(
  { query, span, generation }: Question,
  field: string,
  prefix: string,
  open: boolean,
) {
  const language = useQueryLanguage();
  const request = { field, prefix, query: filterBeside(query, field), ...bounds(span), limit: searchLimit };
  return useQuery({
    queryKey: [language.name, "values", request, generation],
    queryFn: ({ signal }) => language.facetValues(request, signal),
    placeholderData: keepPreviousData,
    enabled: open,
  });
}
