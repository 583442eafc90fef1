// Reading of variables, and what their queries ask for.
import { datasourceOf, type Known } from "./datasource";
import { durationS, fieldsOf, listOf, numberOf, textOf, textsOf } from "./json";
import type { Note } from "./lacking";
import {
  allValue,
  autoValue,
  type Choice,
  type Variable,
  type VariableKind,
  type VariableQuery,
} from "./model";

const kinds: VariableKind[] = ["query", "custom", "interval", "constant", "textbox", "datasource"];

export function readVariable(value: unknown, known: Known, note: Note): Variable {
  const source = fieldsOf(value);
  const type = textOf(source.type, "query");
  const name = textOf(source.name);
  let kind: VariableKind = kinds.find((one) => one === type) ?? "other";
  const datasource = datasourceOf(source.datasource, known);
  if (kind === "other") note(`the variable ${name}, which is of the type ${type}`);
  const written = queryText(source.query) || textOf(source.definition);
  let query: VariableQuery | null = null;
  if (kind === "query") {
    query = datasource.kind === "prometheus" ? readVariableQuery(written) : null;
    if (datasource.kind !== "prometheus")
      note(`values of the variable ${name} from ${datasource.kind === "logs" ? "logs" : datasource.name}`);
    else if (query === null) note(`the query of the variable ${name}: ${written || "there is none"}`);
  }
  if (kind === "query" && query === null) kind = "other";
  return {
    name,
    label: textOf(source.label) || name,
    kind,
    type,
    shown: source.hide === 2 || source.hide === "hideVariable" ? "none" : source.hide === 1 ? "value" : "all",
    multi: source.multi === true,
    includeAll: source.includeAll === true,
    allValue: textOf(source.allValue) || null,
    regex: textOf(source.regex),
    sort: numberOf(source.sort) ?? 0,
    onTime: source.refresh === 2,
    query,
    datasource,
    choices: kind === "custom" || kind === "interval" ? choicesOf(source, textOf(source.query)) : [],
    auto:
      kind === "interval" && source.auto === true
        ? { count: numberOf(source.auto_count) ?? 30, leastS: durationS(textOf(source.auto_min)) ?? 10 }
        : null,
    current: currentOf(source, kind),
  };
}

/** A text, or an object that holds it. */
function queryText(query: unknown): string {
  return typeof query === "string" ? query : textOf(fieldsOf(query).query);
}

/** Null: a query that we do not know. */
export function readVariableQuery(text: string): VariableQuery | null {
  const query = text.trim();
  const names = /^label_names\(\s*\)$/.exec(query);
  if (names) return { kind: "names" };
  const values = /^label_values\(\s*(?:([\s\S]+),)?\s*("?)([\w.:-]+)\2\s*\)$/.exec(query);
  if (values) {
    const selector = values[1]?.trim();
    return { kind: "values", label: values[3] ?? "", selector: selector ? selector : null };
  }
  const metrics = /^metrics\(([\s\S]*)\)$/.exec(query);
  if (metrics) return { kind: "metrics", pattern: (metrics[1] ?? "").trim() };
  const result = /^query_result\(([\s\S]*)\)$/.exec(query);
  if (result) return { kind: "result", expr: (result[1] ?? "").trim() };
  return null;
}

/** "1m,5m : five minutes,1h"; a comma within a value is written `\,`. */
function choicesOf(source: Record<string, unknown>, query: string): Choice[] {
  const written = query.match(/(?:\\,|[^,])+/g) ?? [];
  const fromQuery = written
    .map((one) => one.replace(/\\,/g, ",").trim())
    .filter((one) => one !== "")
    .map((one) => {
      const named = /^(.+?)\s:\s(.+)$/s.exec(one);
      return named ? { text: named[1] ?? one, value: named[2] ?? one } : { text: one, value: one };
    });
  if (fromQuery.length > 0) return fromQuery;
  return listOf(source.options)
    .map(fieldsOf)
    .map(({ text, value }) => ({ text: textOf(text, textOf(value)), value: textOf(value) }))
    .filter(({ value }) => value !== "" && value !== allValue && !value.startsWith("$__auto"));
}

function currentOf(source: Record<string, unknown>, kind: VariableKind): string[] {
  const { value } = fieldsOf(source.current);
  const list = Array.isArray(value) ? textsOf(value) : typeof value === "string" ? [value] : [];
  const current = list.map((one) =>
    one.startsWith("$__auto_interval") || one === "$__auto" ? autoValue : one,
  );
  if (current.length > 0 && !(current.length === 1 && current[0] === "")) return current;
  // A constant and a text are in the query where the file was exported for sharing.
  return (kind === "constant" || kind === "textbox") && textOf(source.query) !== ""
    ? [textOf(source.query)]
    : [];
}
