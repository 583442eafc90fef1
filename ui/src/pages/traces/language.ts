// The query language as it is asked about spans.
import { fetchSpanFacets, fetchSpanFields } from "../../api/traces";
import type { QueryLanguage } from "../../components/query/language";

/** The collector counts at most so many values of a field. */
const mostValues = 100;

const fixed: Record<string, string[]> = {
  kind: ["server", "client", "internal", "producer", "consumer"],
  status: ["error", "ok", "unset"],
  root: ["true", "false"],
  duration: ["10ms", "100ms", "500ms", "1s", "5s"],
};

async function values(
  {
    field,
    prefix,
    limit,
    ...among
  }: { field: string; prefix: string; limit: number } & {
    query: string;
    start: string;
    end: string;
  },
  signal: AbortSignal,
) {
  const answer = await fetchSpanFacets({ ...among, fields: field, limit: mostValues }, signal);
  const begun = prefix.toLowerCase();
  const counted = answer.fields.find((facet) => facet.field === field)?.values ?? [];
  return counted.filter(({ value }) => String(value).toLowerCase().startsWith(begun)).slice(0, limit);
}

export const spansLanguage: QueryLanguage = {
  name: "traces",
  nouns: ["span", "spans"],
  placeholder: "Every trace. Try: service:checkout, status:error, duration>500ms",
  phonePlaceholder: "Every trace",
  examples: [
    ["service:checkout name:PlaceOrder", "an operation of a service"],
    ["duration>500ms", "spans that took longer; also <, >= and ranges"],
    ["status:error", "spans that failed"],
    ["root:true duration>1s", "whole requests that were slow"],
    ["kind:client db.system:postgresql", "calls to a database"],
    ["http.response.status_code:[500 TO 599]", "a range with both ends"],
    ["SELECT", "the word in the span's name or status message"],
    ['db.query.text=~"FROM products"', "a regular expression over an attribute"],
    ["event:exception", "spans with an event of this name"],
    ["host:db-1 -service:postgres", "without a value; also NOT"],
    ["service:in(catalog, checkout)", "one of several values"],
    ["* | top 10 name", "the most frequent operations"],
    ["status:error | stats count() by (service, bin(1m))", "counts by field and minute"],
    ["* | stats p95(duration) as slow by service | sort by slow desc", "measures, and their order"],
  ],
  note: "Fields: service, host, name, kind, status, status_message, duration, trace_id, span_id, parent_id, root, scope, event, attributes.x, resource.x. Any other name is looked up in the attributes, then in the resource. A trace is found when one of its spans matches all of the query.",
  fixedValues: (field) => fixed[field] ?? null,
  uncounted: ["trace_id", "span_id", "parent_id", "duration"],
  facetsKey: "spanFacets",
  fieldNames: fetchSpanFields,
  fieldValues: async (request, signal) =>
    (await values(request, signal)).map(({ value, count }) => ({ value: String(value), count })),
  facets: fetchSpanFacets,
  facetValues: values,
};
