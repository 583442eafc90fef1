// Which store a query means. Prometheus' become ours; what speaks another language is named.
import { fieldsOf, listOf, textOf } from "./json";
import type { Datasource } from "./model";

/** How a file names each variable and input of a data source: by its plugin. */
export type Known = Map<string, string>;

/** Of `__inputs` and of variables of the type "datasource". */
export function knownDatasources(dashboard: Record<string, unknown>): Known {
  const known: Known = new Map();
  for (const input of listOf(dashboard.__inputs)) {
    const { name, type, pluginId } = fieldsOf(input);
    if (type === "datasource") known.set(textOf(name), textOf(pluginId));
  }
  for (const variable of listOf(fieldsOf(dashboard.templating).list)) {
    const { name, type, query } = fieldsOf(variable);
    if (type === "datasource") known.set(textOf(name), typeof query === "string" ? query : "");
  }
  return known;
}

const names: Record<string, string> = {
  loki: "Loki",
  elasticsearch: "Elasticsearch",
  "grafana-opensearch-datasource": "OpenSearch",
  jaeger: "Jaeger",
  tempo: "Tempo",
  zipkin: "Zipkin",
  graphite: "Graphite",
  influxdb: "InfluxDB",
  mysql: "MySQL",
  postgres: "PostgreSQL",
  "grafana-postgresql-datasource": "PostgreSQL",
  cloudwatch: "CloudWatch",
  grafana: "Grafana itself",
  datasource: "another panel's answer",
};
const prometheusTypes = new Set(["", "prometheus", "grafana-amazonprometheus-datasource", "mimir"]);
const logsTypes = new Set(["narrows-logs"]);

/** `reference` as a panel or target has it: nothing, a name, a variable, or `{type, uid}`. */
export function datasourceOf(reference: unknown, known: Known): Datasource {
  if (reference === null || reference === undefined) return { kind: "prometheus" };
  if (typeof reference === "string") return ofName(reference, known);
  const { type, uid } = fieldsOf(reference);
  const named = textOf(uid);
  const variable = variableOf(named);
  if (variable !== null && known.has(variable)) return ofType(known.get(variable) ?? "");
  return typeof type === "string" && type !== "" ? ofType(type) : ofName(named, known);
}

/** Each target has its own. */
export function isMixed(reference: unknown): boolean {
  const name = typeof reference === "string" ? reference : textOf(fieldsOf(reference).uid);
  return name === "-- Mixed --";
}

function ofType(type: string): Datasource {
  if (prometheusTypes.has(type)) return { kind: "prometheus" };
  if (logsTypes.has(type)) return { kind: "logs" };
  return { kind: "other", name: names[type] ?? type };
}

function ofName(name: string, known: Known): Datasource {
  if (name === "-- Grafana --") return { kind: "other", name: "Grafana itself" };
  if (name === "-- Dashboard --") return { kind: "other", name: "another panel's answer" };
  const variable = variableOf(name);
  if (variable !== null && known.has(variable)) return ofType(known.get(variable) ?? "");
  if (logsTypes.has(name)) return { kind: "logs" };
  const lower = name.toLowerCase();
  const other = Object.keys(names).find((type) => type !== "datasource" && lower.includes(type));
  return other === undefined || other === "grafana"
    ? { kind: "prometheus" }
    : { kind: "other", name: names[other] ?? other };
}

function variableOf(text: string): string | null {
  const match = /^\$(?:\{([^}:]+)(?::[^}]*)?\}|(\w+))$/.exec(text.trim());
  return match ? (match[1] ?? match[2] ?? null) : null;
}
