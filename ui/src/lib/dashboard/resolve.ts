// From variables and what a person chose to values: asks for what queries list, in the order of their references.

import {
  type BuiltIns,
  interpolate,
  namesIn,
  type Scope,
  secondsText,
  type VariableValue,
} from "./interpolate";
import { durationS, patternOf } from "./json";
import { allValue, autoValue, type Choice, type Variable, type VariableQuery } from "./model";

export type Ask = (query: VariableQuery) => Promise<string[]>;

export interface Resolved {
  variable: Variable;
  choices: Choice[];
  /** Of the choices; `allValue` alone for all of them. */
  chosen: string[];
  error: string | null;
}

/** By the name of the variable, as a URL has them. */
export type Chosen = Record<string, string[] | undefined>;

/** More would be no list to choose from. */
export const maxChoices = 2000;

export async function resolveVariables(
  variables: Variable[],
  chosen: Chosen,
  builtIns: BuiltIns,
  ask: Ask,
): Promise<Resolved[]> {
  const scope: Scope = new Map();
  const done = new Map<string, Resolved>();
  for (const variable of inOrder(variables)) {
    const resolved = await resolveOne(variable, chosen[variable.name], scope, builtIns, ask);
    done.set(variable.name, resolved);
    scope.set(variable.name, toValue(resolved, builtIns));
  }
  return variables.flatMap(({ name }) => done.get(name) ?? []);
}

export function scopeOf(resolved: Resolved[], builtIns: BuiltIns): Scope {
  return new Map(resolved.map((one) => [one.variable.name, toValue(one, builtIns)]));
}

async function resolveOne(
  variable: Variable,
  wanted: string[] | undefined,
  scope: Scope,
  builtIns: BuiltIns,
  ask: Ask,
): Promise<Resolved> {
  const before = wanted && wanted.length > 0 ? wanted : variable.current;
  let choices = fixedChoices(variable);
  let error: string | null = null;
  if (variable.kind === "query" && variable.query) {
    try {
      const answer = await ask(interpolatedQuery(variable.query, scope, builtIns));
      const pattern = interpolate(variable.regex, scope, null, "text");
      choices = sortChoices(pickChoices(answer, pattern), variable.sort).slice(0, maxChoices);
    } catch (cause) {
      if (cause instanceof DOMException) throw cause;
      error = cause instanceof Error ? cause.message : String(cause);
    }
  }
  const listed = variable.kind === "query" || variable.kind === "custom" || variable.kind === "interval";
  if (!listed) return { variable, choices, chosen: before, error };
  return { variable, choices, chosen: chosenOf(variable, choices, before), error };
}

function fixedChoices(variable: Variable): Choice[] {
  if (variable.kind !== "interval" || !variable.auto) return variable.choices;
  return [{ text: "auto", value: autoValue }, ...variable.choices];
}

/** What was chosen, as far as there is such a thing; else all, or the first. */
function chosenOf(variable: Variable, choices: Choice[], before: string[]): string[] {
  if (variable.includeAll && (before.includes(allValue) || (before.length === 1 && before[0] === "All")))
    return [allValue];
  const known = new Set(choices.map(({ value }) => value));
  const kept = before.filter((value) => known.has(value));
  if (kept.length > 0) return variable.multi ? kept : kept.slice(0, 1);
  // Without an answer the file's own choice still stands.
  if (choices.length === 0 && before.length > 0) return before;
  if (variable.includeAll) return [allValue];
  return choices.slice(0, 1).map(({ value }) => value);
}

function toValue({ variable, choices, chosen }: Resolved, builtIns: BuiltIns): VariableValue {
  const all = chosen.length === 1 && chosen[0] === allValue;
  const many = variable.multi || variable.includeAll;
  if (all) {
    const values = choices.map(({ value }) => value);
    return {
      values,
      many: true,
      whole: variable.allValue ?? (values.length === 0 ? ".*" : null),
      text: "All",
    };
  }
  const values = chosen.map((value) => (value === autoValue ? autoText(variable, builtIns) : value));
  const text = chosen
    .map((value, at) => choices.find((one) => one.value === value)?.text ?? values[at])
    .join(" + ");
  return { values, many, whole: null, text };
}

const niceS = [1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400];

/** The step of an interval that follows the time range. */
export function autoText(variable: Variable, { startMs, endMs }: BuiltIns): string {
  const { count, leastS } = variable.auto ?? { count: 30, leastS: 10 };
  const rough = Math.max(leastS, (endMs - startMs) / 1000 / Math.max(1, count));
  return secondsText(niceS.find((step) => step >= rough) ?? Math.ceil(rough / 86_400) * 86_400);
}

function interpolatedQuery(query: VariableQuery, scope: Scope, builtIns: BuiltIns): VariableQuery {
  const fill = (text: string) => interpolate(text, scope, builtIns, "promql");
  switch (query.kind) {
    case "values":
      return { ...query, label: fill(query.label), selector: query.selector && fill(query.selector) };
    case "metrics":
      return { ...query, pattern: fill(query.pattern) };
    case "result":
      return { ...query, expr: fill(query.expr) };
    default:
      return query;
  }
}

/** Those that a variable refers to come before it; a circle is broken where it begins. */
export function inOrder(variables: Variable[]): Variable[] {
  const byName = new Map(variables.map((one) => [one.name, one]));
  const order: Variable[] = [];
  const seen = new Set<string>();
  const visit = (variable: Variable) => {
    if (seen.has(variable.name)) return;
    seen.add(variable.name);
    for (const name of namesIn(`${JSON.stringify(variable.query ?? "")} ${variable.regex}`)) {
      const other = byName.get(name);
      if (other) visit(other);
    }
    order.push(variable);
  };
  variables.forEach(visit);
  return order;
}

/** A pattern keeps what matches; its groups `value` and `text`, or its first group, say what is taken. */
export function pickChoices(values: string[], regex: string): Choice[] {
  const pattern = regex.trim() === "" ? null : patternOf(regex.trim(), "");
  const found = new Map<string, Choice>();
  for (const whole of values) {
    const choice = pattern === null ? { text: whole, value: whole } : matched(whole, pattern);
    if (choice && choice.value !== "") found.set(choice.value, choice);
  }
  return [...found.values()];
}

function matched(whole: string, pattern: RegExp): Choice | null {
  const match = new RegExp(pattern.source, pattern.flags.replace("g", "")).exec(whole);
  if (!match) return null;
  const { value, text } = match.groups ?? {};
  if (value !== undefined || text !== undefined)
    return { text: text ?? value ?? "", value: value ?? text ?? "" };
  const first = match.length > 1 ? (match[1] ?? "") : whole;
  return { text: first, value: first };
}

const natural = new Intl.Collator("en", { numeric: true });

/** Grafana's numbers of orders: 1 and 2 by letters, 3 and 4 by number, 5 and 6 whatever the case, 7 and 8 both. */
export function sortChoices(choices: Choice[], sort: number): Choice[] {
  if (sort < 1 || sort > 8) return choices;
  const number = (text: string) => Number(/-?\d+(\.\d+)?/.exec(text)?.[0] ?? Number.NaN);
  const compare: ((a: string, b: string) => number)[] = [
    (a, b) => (a < b ? -1 : a > b ? 1 : 0),
    (a, b) => (number(a) || 0) - (number(b) || 0),
    (a, b) => a.toLowerCase().localeCompare(b.toLowerCase()),
    (a, b) => natural.compare(a, b),
  ];
  const by = compare[(sort - 1) >> 1] ?? (() => 0);
  const sorted = [...choices].sort((a, b) => by(a.text, b.text));
  return sort % 2 === 0 ? sorted.reverse() : sorted;
}

/** "2m" of an interval that is used as a step, in seconds. */
export function stepText(text: string, scope: Scope): number | null {
  return durationS(interpolate(text, scope, null, "text"));
}
