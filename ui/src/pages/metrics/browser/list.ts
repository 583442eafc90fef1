// The list of metrics, and what the series of one say about its labels.
import type { Labels, MetricMetadata } from "../../../api/prometheus";
import { fuzzyMatch } from "../../../lib/fuzzy";
import { unitOfName } from "../../../lib/promql/units";

export interface MetricInfo {
  name: string;
  /** "counter", "gauge", …; empty when nobody said. */
  type: string;
  /** Grafana's id. */
  unit: string;
  help: string;
}

/** The metrics whose name or help has what is wanted; the best names first. */
export function listMetrics(
  names: string[],
  metadata: Record<string, MetricMetadata[]>,
  wanted: string,
): MetricInfo[] {
  const pattern = wanted.trim();
  const infos = names.map((name) => infoOf(name, metadata));
  if (pattern === "") return infos.sort((a, b) => (a.name < b.name ? -1 : 1));
  const words = pattern.toLowerCase().split(/\s+/);
  return infos
    .map((info) => ({ info, score: scoreOf(info, pattern, words) }))
    .filter(({ score }) => score !== null)
    .sort((a, b) => (b.score ?? 0) - (a.score ?? 0) || (a.info.name < b.info.name ? -1 : 1))
    .map(({ info }) => info);
}

function infoOf(name: string, metadata: Record<string, MetricMetadata[]>): MetricInfo {
  // The parts of a histogram and a summary carry its metadata.
  const base = name.replace(/_(bucket|sum|count|total|created)$/, "");
  const said = metadata[name]?.[0] ?? metadata[base]?.[0];
  const guessed = /_(total|sum|count|bucket)$/.test(name) ? "counter" : "";
  const type = said && said.type !== "unknown" ? said.type : guessed;
  return { name, type, unit: unitOfName(name, metadata), help: said?.help ?? "" };
}

/** Whole words first, then letters in their order, then what the help says. */
function scoreOf({ name, help }: MetricInfo, pattern: string, words: string[]): number | null {
  const lower = name.toLowerCase();
  if (words.every((word) => lower.includes(word))) return 2000 - name.length;
  const match = words.length === 1 ? fuzzyMatch(name, pattern) : null;
  if (match) return match.score;
  return words.every((word) => help.toLowerCase().includes(word)) ? -1000 : null;
}

export interface LabelInfo {
  name: string;
  /** The values with how many series have them, the most frequent first. */
  values: { value: string; series: number }[];
}

/** The labels of one metric's series, those that tell most apart first. */
export function labelsOf(series: Labels[]): LabelInfo[] {
  const labels = new Map<string, Map<string, number>>();
  for (const one of series)
    for (const [name, value] of Object.entries(one)) {
      if (name === "__name__") continue;
      const values = labels.get(name) ?? new Map<string, number>();
      values.set(value, (values.get(value) ?? 0) + 1);
      labels.set(name, values);
    }
  return [...labels]
    .map(([name, values]) => ({
      name,
      values: [...values]
        .map(([value, count]) => ({ value, series: count }))
        .sort((a, b) => b.series - a.series || (a.value < b.value ? -1 : 1)),
    }))
    .sort((a, b) => b.values.length - a.values.length || (a.name < b.name ? -1 : 1));
}
