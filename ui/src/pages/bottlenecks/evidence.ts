// Evidence as cards: the strongest of each family, its numbers, and where its query opens. Pure.
import type { Evidence, EvidenceSeries, Stored } from "../../api/bottlenecks";
import type { IconName } from "../../components/Icon";
import type { ChartSeries } from "../../lib/chart/series";
import { formatDuration, NBSP } from "../../lib/time/format";
import { absoluteRange, type Range } from "../../lib/time/range";
import { formatScaled, formatValue, unitStep } from "../../lib/units";

const families: Record<string, { name: string; icon: IconName }> = {
  trace: { name: "Traces", icon: "traces" },
  critical_path: { name: "Critical path", icon: "route" },
  database: { name: "Database", icon: "database" },
  host: { name: "Host", icon: "cpu" },
  pool: { name: "Pool", icon: "columns" },
  queue: { name: "Queue", icon: "queue" },
  network: { name: "Network", icon: "services" },
  change: { name: "Change", icon: "commit" },
  logs: { name: "Logs", icon: "logs" },
  cohort: { name: "Cohort", icon: "users" },
};

export function familyOf({ family }: Pick<Evidence, "family">): { name: string; icon: IconName } {
  const plain = family.replaceAll("_", " ");
  return families[family] ?? { name: plain.charAt(0).toUpperCase() + plain.slice(1), icon: "metrics" };
}

export interface Card {
  /** Its index in the verdict's evidence, which the API knows it by. */
  at: number;
  evidence: Evidence;
  /** How many more its family has. */
  more: number;
}

/** The strongest of each family, in the order of strength. */
export function cardsOf(evidence: Evidence[], limit: number): Card[] {
  const first = new Map<string, Card>();
  for (const [at, one] of evidence.entries()) {
    const known = first.get(one.family);
    if (known) known.more += 1;
    else first.set(one.family, { at, evidence: one, more: 0 });
  }
  return [...first.values()].slice(0, limit);
}

export interface Figures {
  before: string | null;
  now: string;
  unit: string;
}

/** "1.2 → 62 ms"; of a change how long before the onset it was. Null where there is no number. */
export function figuresOf(evidence: Evidence, onsetS: number): Figures | null {
  const { baseline, now, unit, at_s } = evidence;
  if (evidence.family === "change" && at_s !== null) {
    const [count, ...rest] = formatDuration(Math.abs(onsetS - at_s) * 1000).split(NBSP);
    const where = at_s <= onsetS ? "before" : "after";
    return { before: null, now: count ?? "", unit: `${rest.join(NBSP)} ${where}` };
  }
  if (now === null) return null;
  const [grafana, factor] = unitOf(unit);
  if (grafana === "none") {
    const before = baseline === null ? null : formatValue(baseline, "none");
    return { before, now: formatValue(now, "none"), unit: unitWords[unit] ?? unit };
  }
  const step = unitStep(grafana, Math.max(Math.abs(now), Math.abs(baseline ?? 0)) * factor);
  const scaled = (value: number) => formatScaled(value * factor, grafana, step);
  // What is next to nothing in the unit of what came of it has its own.
  const readable = (value: number) => {
    const text = scaled(value);
    return text.includes("e") ? formatValue(value * factor, grafana) : text;
  };
  return {
    before: baseline === null ? null : readable(baseline),
    now: scaled(now),
    unit: step.suffix,
  };
}

const unitWords: Record<string, string> = { "1/s": "per s", count: "", ratio: "" };

/** The unit of the charts, and what a value is multiplied by for it. */
export function unitOf(unit: string): [grafana: string, factor: number] {
  switch (unit) {
    case "ms":
      return ["s", 0.001];
    case "s":
      return ["s", 1];
    case "share":
      return ["percentunit", 1];
    case "bytes":
    case "By":
      return ["bytes", 1];
    default:
      return ["none", 1];
  }
}

export type Target = { page: "metrics" | "logs" | "traces"; text: string };

/** Where the query opens. */
export function targetOf(query: string): Target {
  const search = /^(logs|traces):\s*([\s\S]*)$/.exec(query);
  if (search) return { page: search[1] as "logs" | "traces", text: search[2] ?? "" };
  return { page: "metrics", text: query };
}

/** What the chart of a search counts; null of a metric, whose chart has the finding's own unit. */
export function countedBy(query: string | null): string | null {
  if (query === null) return null;
  const { page } = targetOf(query);
  if (page === "metrics") return null;
  return `${page === "logs" ? "records" : "spans"} in 10${NBSP}s that match`;
}

export const targetNames: Record<Target["page"], string> = {
  metrics: "Open in Metrics",
  logs: "Open in Logs",
  traces: "Open in Traces",
};

/** So much of the time before, to see the difference. */
const beforeS = 45 * 60;
const afterS = 5 * 60;

/** From some time before the onset to the end, or to now. Whole seconds, so that a link stays the same. */
export function rangeOf({ closed_s, verdict: { window } }: Stored, nowMs: number): Range {
  const startS = Math.max(window.baseline.from_s, window.onset_s - beforeS);
  const endS = closed_s === null ? Math.floor(nowMs / 1000) : closed_s + afterS;
  return absoluteRange({ startMs: startS * 1000, endMs: Math.max(endS, startS + 60) * 1000 });
}

/** Only the time in which it was bad. */
export function hotRange({ closed_s, verdict: { window } }: Stored, nowMs: number): Range {
  const endS = closed_s === null ? Math.floor(nowMs / 1000) : closed_s;
  return absoluteRange({ startMs: window.onset_s * 1000, endMs: Math.max(endS, window.onset_s + 60) * 1000 });
}

export interface EvidenceChart {
  times: number[];
  series: ChartSeries[];
}

/** The series on one axis of time; one that has no value at a time has a gap there. */
export function chartOf(data: EvidenceSeries[], factor: number): EvidenceChart {
  const times = [...new Set(data.flatMap(({ values }) => values.map(([time]) => time)))].sort(
    (a, b) => a - b,
  );
  const places = new Map(times.map((time, at) => [time, at]));
  const names = new Map<string, number>();
  const series = data.map(({ labels, values }) => {
    const line = new Array<number | null>(times.length).fill(null);
    for (const [time, value] of values) line[places.get(time) ?? 0] = value === null ? null : value * factor;
    const name = nameOf(labels);
    const count = (names.get(name) ?? 0) + 1;
    names.set(name, count);
    return { label: count > 1 ? `${name} (${count})` : name, values: line };
  });
  return { times, series };
}

function nameOf(labels: Record<string, string>): string {
  const shown = Object.entries(labels).filter(([name]) => name !== "__name__");
  if (shown.length === 0) return labels.__name__ ?? "value";
  return shown.length === 1
    ? (shown[0]?.[1] ?? "")
    : shown.map(([name, value]) => `${name}=${value}`).join(", ");
}

/** Where the onset is on a line of these times, 0 to 1; null where it is not among them. */
export function onsetShare(times: number[], onsetS: number): number | null {
  const [first, last] = [times[0], times.at(-1)];
  if (first === undefined || last === undefined || last <= first) return null;
  const share = (onsetS - first) / (last - first);
  return share > 0 && share < 1 ? share : null;
}
