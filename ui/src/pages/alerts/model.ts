// What an alert is to a person: its state in one word, how bad it is, where it is, what comes first. Pure.
import type { Alert, Labels } from "../../api/alerts";
import { guessUnit } from "../../lib/promql/units";
import { NBSP } from "../../lib/time/format";
import { formatValue } from "../../lib/units";

/** As the page says it. Who is silenced, inhibited or muted fires, but nobody is told. */
export type State = "firing" | "pending" | "silenced" | "inhibited" | "muted" | "resolved";
/** Those that call for somebody first. */
export const states: State[] = ["firing", "pending", "silenced", "inhibited", "muted", "resolved"];

export function stateOf({ state, silenced_by, inhibited_by, muted_by }: Alert): State {
  if (state !== "firing") return state;
  if (silenced_by.length > 0) return "silenced";
  if (inhibited_by.length > 0) return "inhibited";
  return muted_by.length > 0 ? "muted" : "firing";
}

export function isQuiet(state: State): boolean {
  return state === "silenced" || state === "inhibited" || state === "muted";
}

export type Severity = "critical" | "warning" | "info" | "none";
export const severities: Severity[] = ["critical", "warning", "info", "none"];

const severityWords: Record<string, Severity> = {
  critical: "critical",
  crit: "critical",
  page: "critical",
  error: "critical",
  fatal: "critical",
  emergency: "critical",
  high: "critical",
  warning: "warning",
  warn: "warning",
  medium: "warning",
  info: "info",
  notice: "info",
  information: "info",
  low: "info",
};

/** Of the label `severity`, whatever its author calls it. */
export function severityOf(labels: Labels): Severity {
  return severityWords[(labels.severity ?? "").toLowerCase()] ?? "none";
}

const severityLevels = { critical: "crit", warning: "warn", info: "info", none: "warn" } as const;

/** The meaning colour of a severity, whatever the state is. */
export function severityLevel({ labels }: Pick<Alert, "labels">): "crit" | "warn" | "info" {
  return severityLevels[severityOf(labels)];
}

/** The meaning colour; what is only pending, quiet or over has none. */
export function levelOf(alert: Alert): "crit" | "warn" | "info" | null {
  const state = stateOf(alert);
  if (state === "pending") return "warn";
  return state === "firing" ? severityLevel(alert) : null;
}

const hostLabels = ["host_name", "host", "hostname", "node", "nodename"];
const serviceLabels = ["service_name", "service", "app"];

/** The host that the alert is about. `instance` is one where it is no address with a scheme. */
export function hostOf(labels: Labels): string | null {
  const named = hostLabels.map((name) => labels[name]).find(Boolean);
  if (named) return named;
  const instance = labels.instance ?? "";
  return instance === "" || instance.includes("/") ? null : instance.replace(/:\d+$/, "");
}

export function serviceOf(labels: Labels): string | null {
  return serviceLabels.map((name) => labels[name]).find(Boolean) ?? null;
}

/** "checkout on app-4", "db-1", or nothing. */
export function whereOf(labels: Labels): string {
  const [service, host] = [serviceOf(labels), hostOf(labels)];
  return service && host && service !== host ? `${service} on ${host}` : (service ?? host ?? "");
}

/** What is the matter, in the rule's words; without any, its name. */
export function sentenceOf({ annotations, name }: Alert): string {
  const said = annotations.summary ?? annotations.message ?? annotations.title ?? "";
  return said.trim().split("\n")[0]?.replace(/\.$/, "") || name;
}

/** Every label but the name, the interesting ones first. */
export function tagsOf(labels: Labels): [name: string, value: string][] {
  const first = (name: string) => (serviceLabels.includes(name) ? 0 : hostLabels.includes(name) ? 1 : 2);
  return Object.entries(labels)
    .filter(([name]) => name !== "alertname")
    .sort(([a], [b]) => first(a) - first(b) || (a < b ? -1 : 1));
}

export function unitOf({ threshold, rule }: Pick<Alert, "threshold" | "rule">): string {
  const query = threshold?.query ?? rule?.query ?? "";
  if (query === "" || rule?.type === "logs") return "none";
  const unit = guessUnit(query);
  // Of a quotient whose names say nothing, a limit below one says that it is a share.
  const isShare = threshold !== null && Math.abs(threshold.value) < 1 && /[)\w]\s*\/\s*[(a-z]/.test(query);
  return unit === "none" && isShare ? "percentunit" : unit;
}

/** The value that the rule found; "–" where there is none. */
export function valueText(alert: Alert): string {
  return formatValue(alert.value, unitOf(alert));
}

/** "> 25 %", where the rule has one limit. */
export function limitText(alert: Alert): string | null {
  const { threshold } = alert;
  return threshold && `${threshold.op}${NBSP}${formatValue(threshold.value, unitOf(alert))}`;
}

export function startMs({ starts_at }: Alert): number {
  return Date.parse(starts_at);
}

/** How long it lasted, or has lasted up to now. */
export function lastedMs(alert: Alert, nowMs: number): number {
  const end = alert.state === "resolved" && alert.ends_at !== null ? Date.parse(alert.ends_at) : nowMs;
  return Math.max(0, end - startMs(alert));
}

export const sorts = ["worst", "newest", "longest", "name"] as const;
export type Sort = (typeof sorts)[number];

/** What calls for somebody first: state, then severity, then what began last. */
export function byWorst(a: Alert, b: Alert): number {
  return (
    states.indexOf(stateOf(a)) - states.indexOf(stateOf(b)) ||
    severities.indexOf(severityOf(a.labels)) - severities.indexOf(severityOf(b.labels)) ||
    startMs(b) - startMs(a) ||
    byName(a, b)
  );
}

function byName(a: Alert, b: Alert): number {
  return (
    a.name.localeCompare(b.name, "en", { numeric: true }) ||
    whereOf(a.labels).localeCompare(whereOf(b.labels), "en", { numeric: true }) ||
    (a.fingerprint < b.fingerprint ? -1 : 1)
  );
}

export function sortAlerts(alerts: Alert[], sort: Sort, nowMs: number): Alert[] {
  const orders: Record<Sort, (a: Alert, b: Alert) => number> = {
    worst: byWorst,
    newest: (a, b) => startMs(b) - startMs(a) || byName(a, b),
    longest: (a, b) => lastedMs(b, nowMs) - lastedMs(a, nowMs) || byName(a, b),
    name: byName,
  };
  return [...alerts].sort(orders[sort]);
}

export interface AlertGroup {
  name: string;
  alerts: Alert[];
}

/** One group per rule's name, in the order of their first alerts. */
export function groupsOf(alerts: Alert[]): AlertGroup[] {
  const groups = new Map<string, Alert[]>();
  for (const alert of alerts) {
    const known = groups.get(alert.name);
    if (known) known.push(alert);
    else groups.set(alert.name, [alert]);
  }
  return [...groups].map(([name, members]) => ({ name, alerts: members }));
}

export function countBy<K extends string>(alerts: Alert[], keyOf: (alert: Alert) => K): Map<K, number> {
  const counts = new Map<K, number>();
  for (const alert of alerts) counts.set(keyOf(alert), (counts.get(keyOf(alert)) ?? 0) + 1);
  return counts;
}

/** Text with its links apart. Only web addresses become links: an annotation is written by anybody. */
export function textParts(text: string): { text: string; href: string | null }[] {
  const parts: { text: string; href: string | null }[] = [];
  let at = 0;
  for (const match of text.matchAll(/https?:\/\/[^\s<>"'`]+/gi)) {
    const href = safeHref(match[0].replace(/[.,;:!?)\]]+$/, ""));
    if (href === null) continue;
    const shown = match[0].replace(/[.,;:!?)\]]+$/, "");
    if (match.index > at) parts.push({ text: text.slice(at, match.index), href: null });
    parts.push({ text: shown, href });
    at = match.index + shown.length;
  }
  if (at < text.length) parts.push({ text: text.slice(at), href: null });
  return parts;
}

/** Null for every scheme but http and https, and for what is no address. */
export function safeHref(text: string): string | null {
  try {
    const url = new URL(text.trim());
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
  } catch {
    return null;
  }
}
