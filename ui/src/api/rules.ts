// Rules as Prometheus' API has them, and what is wrong with their files.
import { get, readChecked, send } from "./http";
import { array, type Check, nullable, number, object, oneOf, ShapeError, string } from "./validate";

export type Labels = Record<string, string>;

export interface RuleAlert {
  labels: Labels;
  annotations: Labels;
  state: "pending" | "firing";
  activeAt: string | null;
  value: string;
}

interface RuleBase {
  name: string;
  query: string;
  labels: Labels;
  health: "ok" | "err" | "unknown";
  lastError: string | null;
  /** Seconds. */
  evaluationTime: number;
  lastEvaluation: string;
  /** What the query is written in. */
  language: "promql" | "logs";
}

export interface AlertingRule extends RuleBase {
  type: "alerting";
  state: "firing" | "pending" | "inactive" | "unknown";
  /** `for` and `keep_firing_for`, in seconds. */
  duration: number;
  keepFiringFor: number;
  annotations: Labels;
  alerts: RuleAlert[];
}

export interface RecordingRule extends RuleBase {
  type: "recording";
}

export type Rule = AlertingRule | RecordingRule;

export interface RuleGroup {
  name: string;
  file: string;
  /** Seconds. */
  interval: number;
  evaluationTime: number;
  lastEvaluation: string;
  rules: Rule[];
}

export interface FileProblems {
  file: string;
  problems: Problem[];
  /** When the version that runs was read; null: none ever was. */
  loaded_at: string | null;
}

/** A fault of a configuration file. */
export interface Problem {
  /** From 1; null where it has no place. */
  line: number | null;
  column: number | null;
  message: string;
}

const texts: Check<Labels> = (value, path) => {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object") throw new ShapeError(path, "an object");
  for (const [name, text] of Object.entries(value)) string(text, `${path}.${name}`);
  return value as Labels;
};
const seconds: Check<number> = (value, path) => nullable(number)(value, path) ?? 0;
const text: Check<string> = (value, path) => nullable(string)(value, path) ?? "";

const language: Check<RuleBase["language"]> = (value, path) => {
  const said = nullable(object<{ type: string }>({ type: string }))(value, path);
  return said?.type === "logs" ? "logs" : "promql";
};

const alert = object<RuleAlert>({
  labels: texts,
  annotations: texts,
  state: oneOf<RuleAlert["state"]>("pending", "firing"),
  activeAt: nullable(string),
  value: text,
});

const rule: Check<Rule> = (value, path) => {
  const { type, narrows } = (value ?? {}) as { type?: unknown; narrows?: unknown };
  const base = object<Omit<RuleBase, "language">>({
    name: string,
    query: string,
    labels: texts,
    health: oneOf<RuleBase["health"]>("ok", "err", "unknown"),
    lastError: nullable(string),
    evaluationTime: seconds,
    lastEvaluation: text,
  })(value, path);
  const common = { ...base, language: language(narrows, `${path}.narrows`) };
  if (type === "recording") return { ...common, type };
  const alerting = object<Omit<AlertingRule, keyof RuleBase | "type">>({
    state: oneOf<AlertingRule["state"]>("firing", "pending", "inactive", "unknown"),
    duration: seconds,
    keepFiringFor: seconds,
    annotations: texts,
    alerts: (list, at) => nullable(array(alert))(list, at) ?? [],
  })(value, path);
  return { ...common, ...alerting, type: "alerting" };
};

const group = object<RuleGroup>({
  name: string,
  file: string,
  interval: seconds,
  evaluationTime: seconds,
  lastEvaluation: text,
  rules: array(rule),
});

const envelope = object<{ data: { groups: RuleGroup[] } }>({
  data: object<{ groups: RuleGroup[] }>({ groups: array(group) }),
});

export async function fetchRules(signal: AbortSignal): Promise<RuleGroup[]> {
  const response = await send("/api/v1/rules", { signal });
  return readChecked(response, (body) => envelope(JSON.parse(body), "rules").data.groups);
}

export const problem = object<Problem>({ line: nullable(number), column: nullable(number), message: string });
const problems = object<{ files: FileProblems[] }>({
  files: array(object<FileProblems>({ file: string, problems: array(problem), loaded_at: nullable(string) })),
});

export async function fetchRuleProblems(signal: AbortSignal): Promise<FileProblems[]> {
  return (await get("/rules/problems", {}, problems, signal)).files;
}
