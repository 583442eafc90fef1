// What the editor suggests comes from the same API as everything else.
import type { PrometheusClient } from "@prometheus-io/codemirror-promql/dist/esm/client/prometheus";
import { EqlRegex, Neq, NeqRegex } from "@prometheus-io/lezer-promql";
import { fetchLabelNames, fetchLabelValues, fetchMetadata, fetchSeries } from "../../../api/prometheus";
import { labelName } from "../../../lib/promql/legend";
import type { Span } from "../../../lib/time/range";

/** More would only be scrolled past; typing narrows them. */
const suggestionLimit = 10_000;

interface Matcher {
  name: string;
  value: string;
  type: unknown;
}

/** Suggestions must not disturb: what fails suggests nothing, and running the query says why. */
export function completionClient(span: () => Span): PrometheusClient {
  const within = () => ({ startS: span().startMs / 1000, endS: span().endMs / 1000, limit: suggestionLimit });
  const among = (metric?: string, matchers?: Matcher[]) => {
    const match = matchOf(metric, matchers);
    return { ...within(), ...(match && { match: [match] }) };
  };
  const metricNames = () => fetchLabelValues("__name__", within()).catch(() => []);
  return {
    labelNames: (metric) => fetchLabelNames(among(metric)).catch(() => []),
    labelValues: (label, metric, matchers) =>
      fetchLabelValues(label, among(metric, matchers as Matcher[] | undefined)).catch(() => []),
    metricMetadata: () => fetchMetadata().catch(() => ({})),
    series: async (metric, matchers) => {
      const found = await fetchSeries(among(metric, matchers as Matcher[] | undefined)).catch(() => []);
      return found.map((labels) => new Map(Object.entries(labels)));
    },
    metricNames,
    flags: async () => ({}),
  };
}

/** A selector of what is written already; conditions that are still empty are left out. */
function matchOf(metric: string | undefined, matchers: Matcher[] | undefined): string | null {
  const conditions = (matchers ?? [])
    .filter(({ name, value }) => name !== "" && value !== "")
    .map(({ name, value, type }) => `${labelName(name)}${operatorOf(type)}${JSON.stringify(value)}`);
  if (metric) conditions.unshift(`__name__=${JSON.stringify(metric)}`);
  return conditions.length > 0 ? `{${conditions.join(", ")}}` : null;
}

/** The matcher's type is a node of the grammar that the editor pins. */
function operatorOf(type: unknown): string {
  return type === Neq ? "!=" : type === EqlRegex ? "=~" : type === NeqRegex ? "!~" : "=";
}
