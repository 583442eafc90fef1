// The query language is one; what it is asked about differs from page to page: log records, or spans.
import { createContext, useContext } from "react";
import type { FacetsAnswer, FacetValue } from "../../api/facets";
import { fetchFacets, fetchFacetValues } from "../../api/facets";
import { type FieldName, fetchFieldNames, fetchFieldValues } from "../../api/fields";
import type { ValueCount } from "../../api/patterns";
import { severities } from "../../lib/severity";

export interface Among {
  query: string;
  start: string;
  end: string;
}

type Ask<R, T> = (request: Among & R, signal: AbortSignal) => Promise<T>;

export interface QueryLanguage {
  /** Its answers are told apart by it. */
  name: "logs" | "traces";
  /** What a query finds: one and many. */
  nouns: [one: string, many: string];
  placeholder: string;
  phonePlaceholder: string;
  examples: [query: string, finds: string][];
  note: string;
  /** Values that need not be asked for; null: they are counted. */
  fixedValues: (field: string) => string[] | null;
  /** Fields with as many values as there are records. */
  uncounted: string[];
  /** Under which preference the chosen facets are kept. */
  facetsKey: "facets" | "spanFacets";
  fieldNames: Ask<{ prefix: string }, FieldName[]>;
  fieldValues: Ask<{ field: string; prefix: string; limit: number }, ValueCount[]>;
  facets: Ask<{ fields?: string | undefined; limit: number }, FacetsAnswer>;
  facetValues: Ask<{ field: string; prefix: string; limit: number }, FacetValue[]>;
}

export const logsLanguage: QueryLanguage = {
  name: "logs",
  nouns: ["record", "records"],
  placeholder: "Every record. Try: timeout, service:checkout, severity>=error",
  phonePlaceholder: "Every record",
  examples: [
    ["timeout", "the word in the body; upper and lower case are the same"],
    ['"connection refused"', "the words side by side"],
    ["'Connection Refused'", "the same with its case"],
    ["conn* 10.0.?.5", "* is any run of characters, ? is one"],
    ['body=~"retry [3-9]"', "a regular expression; also of a field, and !~ for its opposite"],
    ["service:checkout", "a field with exactly this value"],
    ["service:in(catalog, checkout)", "one of several values"],
    ["severity>=error", "error and fatal"],
    ["http.status_code:[500 TO 599]", "a range with both ends; { } leaves the ends out"],
    ["duration_ms>250 took>1.5s", "numbers, durations and sizes compare by what they mean"],
    ["trace_id:*", "the field is there"],
    ["error -healthcheck", "without the second word; also NOT"],
    ["(timeout OR refused) host:app-1", "AND is implied; parentheses group"],
    ["* | top 10 service", "the most frequent values"],
    ["severity>=error | stats count() by (service, bin(1m))", "counts by field and minute"],
    ["* | stats p95(duration_ms) as slow by service | sort by slow desc", "measures, and their order"],
    ["severity>=error | fields service, http.route, body", "chosen columns"],
  ],
  note: "Fields: severity, service, host, body, trace_id, span_id, scope, event_name, attributes.x, resource.x. Any other name is looked up in the attributes, then in the resource.",
  fixedValues: (field) => (field === "severity" || field === "level" ? severities : null),
  // A pattern is chosen in its own tab.
  uncounted: ["trace_id", "span_id", "pattern"],
  facetsKey: "facets",
  fieldNames: fetchFieldNames,
  fieldValues: fetchFieldValues,
  facets: fetchFacets,
  facetValues: fetchFacetValues,
};

export const QueryLanguageContext = createContext<QueryLanguage>(logsLanguage);

/** Of the page that one is on; the logs' where none is said. */
export function useQueryLanguage(): QueryLanguage {
  return useContext(QueryLanguageContext);
}
