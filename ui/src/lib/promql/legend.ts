// What a series is called: by a format as Grafana's, or by the labels that tell it from the others.
import type { Labels } from "../../api/prometheus";

/** "{{host_name}} {{mode}}" with the labels in their places; a label that is missing is empty. */
export function formatLegend(format: string, labels: Labels): string {
  return format.replace(/\{\{\s*([^{}]+?)\s*\}\}/g, (_, name: string) => labels[name] ?? "").trim();
}

/** A name for each series, unique among them. */
export function legendNames(series: Labels[], format: string, query: string): string[] {
  if (format !== "")
    return unique(series.map((labels) => formatLegend(format, labels) || selectorText(labels)));
  const differing = differingLabels(series);
  const metric = sharedMetric(series);
  return unique(
    series.map((labels) => {
      const shown = differing.filter((name) => name !== "__name__" && labels[name] !== undefined);
      if (series.length === 1) return labels.__name__ ?? (selectorText(labels) || query);
      // One label needs no name beside it: "user", "system".
      if (metric !== undefined && differing.length === 1 && shown[0] !== undefined)
        return labels[shown[0]] ?? "";
      const inner = shown.map((name) => `${name}=${labels[name]}`).join(", ");
      const own = metric === undefined || differing.includes("__name__") ? (labels.__name__ ?? "") : "";
      return [own, inner].filter((part) => part !== "").join(" ") || selectorText(labels) || query;
    }),
  );
}

/** `up{instance="db-1", job="agent"}`, as a query would select it. */
export function selectorText(labels: Labels): string {
  const { __name__: metric = "", ...others } = labels;
  const inner = Object.entries(others)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${labelName(name)}=${JSON.stringify(value)}`);
  return inner.length > 0 ? `${metric}{${inner.join(", ")}}` : metric;
}

/** Names beyond letters, digits and underscores are quoted. */
export function labelName(name: string): string {
  return /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) ? name : JSON.stringify(name);
}

/** The labels that not all of the series share, by how well they tell them apart. */
export function differingLabels(series: Labels[]): string[] {
  const values = new Map<string, Set<string>>();
  for (const labels of series)
    for (const [name, value] of Object.entries(labels)) {
      const known = values.get(name) ?? new Set();
      known.add(value);
      values.set(name, known);
    }
  const [first] = series;
  return [...values]
    .filter(([name, known]) => known.size > 1 || series.some((labels) => labels[name] !== first?.[name]))
    .map(([name]) => name)
    .sort();
}

function sharedMetric(series: Labels[]): string | undefined {
  const names = new Set(series.map((labels) => labels.__name__ ?? ""));
  return names.size === 1 ? [...names][0] : undefined;
}

function unique(names: string[]): string[] {
  const seen = new Map<string, number>();
  return names.map((name) => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name} (${count})`;
  });
}
