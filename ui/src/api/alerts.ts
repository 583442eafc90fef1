// Alerts as the collector knows them: pending ones of its rules, firing ones of anybody, and what ended lately.
import { get, readChecked, send } from "./http";
import { array, type Check, nullable, number, object, oneOf, ShapeError, string } from "./validate";

export type Labels = Record<string, string>;
export type AlertPhase = "pending" | "firing" | "resolved";

export interface AlertRule {
  group: string;
  file: string;
  name: string;
  type: "promql" | "logs";
  query: string;
  for_s: number;
}

/** The rule's expression as a query and a limit, where it is `query op value`. */
export interface Threshold {
  op: string;
  value: number;
  query: string;
}

export interface Alert {
  fingerprint: string;
  name: string;
  labels: Labels;
  annotations: Labels;
  state: AlertPhase;
  starts_at: string;
  ends_at: string | null;
  updated_at: string;
  value: number | null;
  silenced_by: string[];
  inhibited_by: string[];
  muted_by: string[];
  receivers: string[];
  /** Null: somebody else's rule; its alerts are sent here. */
  rule: AlertRule | null;
  threshold: Threshold | null;
}

export interface AlertSpan {
  from: string;
  /** Null: until now. */
  to: string | null;
  state: "pending" | "firing";
}

export interface AlertWithHistory extends Alert {
  history: AlertSpan[];
}

const labels: Check<Labels> = (value, path) => {
  if (typeof value !== "object" || value === null) throw new ShapeError(path, "an object");
  for (const [name, text] of Object.entries(value)) string(text, `${path}.${name}`);
  return value as Labels;
};
const strings: Check<string[]> = (value, path) => nullable(array(string))(value, path) ?? [];

const fields: { [K in keyof Alert]: Check<Alert[K]> } = {
  fingerprint: string,
  name: string,
  labels,
  annotations: labels,
  state: oneOf<AlertPhase>("pending", "firing", "resolved"),
  starts_at: string,
  ends_at: nullable(string),
  updated_at: string,
  value: nullable(number),
  silenced_by: strings,
  inhibited_by: strings,
  muted_by: strings,
  receivers: strings,
  rule: nullable(
    object<AlertRule>({
      group: string,
      file: string,
      name: string,
      type: oneOf("promql", "logs"),
      query: string,
      for_s: number,
    }),
  ),
  threshold: nullable(object<Threshold>({ op: string, value: number, query: string })),
};

const alertList = object<{ alerts: Alert[] }>({ alerts: array(object<Alert>(fields)) });
const oneAlert = object<AlertWithHistory>({
  ...fields,
  history: array(
    object<AlertSpan>({ from: string, to: nullable(string), state: oneOf("pending", "firing") }),
  ),
});

export async function fetchAlerts(signal: AbortSignal): Promise<Alert[]> {
  return (await get("/alerts", {}, alertList, signal)).alerts;
}

export function fetchAlert(fingerprint: string, signal: AbortSignal): Promise<AlertWithHistory> {
  return get(`/alerts/${encodeURIComponent(fingerprint)}`, {}, oneAlert, signal);
}

const ruleGroups = object<{ data: { groups: { rules: unknown[] }[] } }>({
  data: object<{ groups: { rules: unknown[] }[] }>({
    groups: array(object<{ rules: unknown[] }>({ rules: array((value) => value) })),
  }),
});

/** How many rules may raise an alert. */
export async function fetchRuleCount(signal: AbortSignal): Promise<number> {
  const response = await send("/api/v1/rules?type=alert&exclude_alerts=true", { signal });
  const { data } = await readChecked(response, (text) => ruleGroups(JSON.parse(text), "rules"));
  return data.groups.reduce((sum, { rules }) => sum + rules.length, 0);
}
