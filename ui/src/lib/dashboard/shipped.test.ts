// Every dashboard that comes with the program: our reader draws all of it, and it asks for nothing that nobody sends.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { metricNames } from "../promql/units";
import { type BuiltIns, interpolate } from "./interpolate";
import type { Dashboard } from "./model";
import { readDashboard } from "./read";

const root = new URL("../../../..", import.meta.url).pathname;
const folder = join(root, "dashboards");
const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
const source = (path: string) => readFileSync(join(root, path), "utf8");

function found(text: string, pattern: RegExp, prefix: string): string[] {
  return [...text.matchAll(pattern)].map((match) => prefix + (match[1] ?? ""));
}

/** As the sources have them: what is renamed there fails here. */
function emitted(): Set<string> {
  const collector = source("collector/src/metrics.rs") + source("collector/src/metrics/scrape.rs");
  const calls = /\b(?:total|totals|gauge|gauges|options|counter)\(\s*"([a-z_]+)"/g;
  const histograms = found(collector, /\bhistogram\(\s*"([a-z_]+)"/g, "narrows_collector_");
  const agent = source("agent/src/metrics.rs");
  const ofAgent = /\b(?:counter|counters|gauge|gauges)\(\s*r,\s*"([a-z_]+)"/g;
  expect(agent + collector).toContain("ProcessCollector");
  return new Set([
    ...found(collector, calls, "narrows_collector_"),
    ...histograms.flatMap((name) => [`${name}_bucket`, `${name}_sum`, `${name}_count`]),
    ...found(agent, ofAgent, "narrows_agent_"),
    // Of every process that shows its own: the client library's names.
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    ...hostMetrics(),
  ]);
}

const hostList = join(root, "docs/host-metrics.md");

function hostMetrics(): string[] {
  return found(readFileSync(hostList, "utf8"), /^\| `([a-z_0-9]+)` \|/gm, "");
}

const builtIns: BuiltIns = { startMs: 0, endMs: 3_600_000, stepS: 15, scrapeS: 15 };

function asked(dashboard: Dashboard): string[] {
  const targets = dashboard.sections
    .flatMap(({ panels }) => panels)
    .flatMap((panel) => panel.targets)
    .filter(({ datasource }) => datasource.kind === "prometheus")
    .map(({ expr }) => expr);
  const selectors = dashboard.variables.flatMap(({ query }) =>
    query?.kind === "values" && query.selector ? [query.selector] : [],
  );
  return [...targets, ...selectors].map((text) => interpolate(text, new Map(), builtIns, "promql"));
}

test("there are dashboards to look at", () => {
  expect(files).toEqual(expect.arrayContaining(["host.json", "narrows.json"]));
});

describe.each(files)("%s", (name) => {
  const dashboard = readDashboard(JSON.parse(readFileSync(join(folder, name), "utf8")));

  test("nothing of it is lacking", () => {
    expect(dashboard.lacking).toEqual([]);
    expect(dashboard.uid).toBe(name.replace(/\.json$/, ""));
  });

  test("every metric is one that we emit", () => {
    const known = emitted();
    const names = new Set(asked(dashboard).flatMap(metricNames));
    expect(names.size).toBeGreaterThan(5);
    expect([...names].filter((metric) => !known.has(metric))).toEqual([]);
  });
});
