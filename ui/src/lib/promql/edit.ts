// A query as text that the metric browser writes into.
import { labelName } from "./legend";

/** What to ask first about a metric of this type. */
export function firstQuery(metric: string, type: string): string {
  const selector = selectorOf(metric);
  if (type === "counter") return `rate(${selector}[5m])`;
  if (type === "histogram" && metric.endsWith("_bucket"))
    return `histogram_quantile(0.95, sum by (le) (rate(${selector}[5m])))`;
  if (type === "histogram")
    return `histogram_quantile(0.95, sum by (le) (rate(${selectorOf(`${metric}_bucket`)}[5m])))`;
  return selector;
}

/** Names beyond Prometheus' old letters are written within the braces. */
export function selectorOf(metric: string): string {
  return isPlain(metric) ? metric : `{${JSON.stringify(metric)}}`;
}

/**
 * The query with one more condition on the metric, or without it when it was there. A query that does not name the metric
 * is replaced by the selector.
 */
export function withMatcher(query: string, metric: string, label: string, value: string): string {
  const matcher = `${labelName(label)}=${JSON.stringify(value)}`;
  const at = placeOf(query, metric);
  if (at === null)
    return isPlain(metric) ? `${metric}{${matcher}}` : `{${JSON.stringify(metric)}, ${matcher}}`;
  const end = at + metric.length;
  const braces = /^\s*\{([^}]*)\}/.exec(query.slice(end));
  if (!braces) return `${query.slice(0, end)}{${matcher}}${query.slice(end)}`;
  const others = splitMatchers(braces[1] ?? "").filter((one) => matcherLabel(one) !== label);
  const had = splitMatchers(braces[1] ?? "").some((one) => one.replace(/\s*=\s*/, "=") === matcher);
  const inner = had ? others : [...others, matcher];
  const written = inner.length > 0 ? `{${inner.join(", ")}}` : "";
  return `${query.slice(0, end)}${written}${query.slice(end + braces[0].length)}`;
}

function isPlain(metric: string): boolean {
  return /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(metric);
}

function placeOf(query: string, metric: string): number | null {
  for (let at = query.indexOf(metric); at >= 0; at = query.indexOf(metric, at + 1)) {
    const around = (query[at - 1] ?? " ") + (query[at + metric.length] ?? " ");
    if (!/[a-zA-Z0-9_:]/.test(around)) return at;
  }
  return null;
}

function splitMatchers(inner: string): string[] {
  const found = inner.match(/(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^,"'])+/g) ?? [];
  return found.map((one) => one.trim()).filter((one) => one !== "");
}

function matcherLabel(matcher: string): string {
  const name = /^("(?:[^"\\]|\\.)*"|[a-zA-Z0-9_]+)/.exec(matcher)?.[1] ?? "";
  return name.startsWith('"') ? (JSON.parse(name) as string) : name;
}
