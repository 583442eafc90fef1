// Edits a query as text: adds a condition to its filter, in front of the first stage.
import { lexQuery } from "./lex";

const plainField = /^[\p{L}\p{N}_@][\p{L}\p{N}_.@/-]*$/u;
const plainValue = /^[\p{L}_][\p{L}\p{N}_.-]*$/u;
const reserved = new Set(["AND", "OR", "NOT", "TO"]);

/** Can the language name this field? */
export function canName(field: string): boolean {
  return plainField.test(field);
}

export function fieldCondition(field: string, value: string | number | boolean): string {
  const text = String(value);
  const plain = typeof value === "number" ? value >= 0 : plainValue.test(text) && !reserved.has(text);
  return `${field}:${plain ? text : quote(text)}`;
}

export function quote(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/** The query with one more condition; `exclude` negates it. A condition that is already there is not doubled. */
export function addCondition(query: string, condition: string, exclude: boolean): string {
  const { filter, stages } = splitStages(query);
  const added = exclude ? `-${condition}` : condition;
  const whole = filter === "" || filter === "*";
  if (!whole && ` ${filter} `.includes(` ${added} `)) return query;
  const kept = whole ? "" : hasTopLevelOr(filter) ? `(${filter}) ` : `${filter} `;
  return `${kept}${added}${stages === "" ? "" : ` ${stages}`}`;
}

function splitStages(query: string): { filter: string; stages: string } {
  const pipe = lexQuery(query).find((token) => query.slice(token.start, token.end) === "|");
  const at = pipe?.start ?? query.length;
  return { filter: query.slice(0, at).trim(), stages: query.slice(at).trim() };
}

function hasTopLevelOr(filter: string): boolean {
  let depth = 0;
  for (const token of lexQuery(filter)) {
    const text = filter.slice(token.start, token.end);
    if (text === "(" && token.kind === "operator") depth += 1;
    if (text === ")" && token.kind === "operator") depth -= 1;
    if (text === "OR" && token.kind === "keyword" && depth === 0) return true;
  }
  return false;
}
