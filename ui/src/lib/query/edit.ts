// Edits a query as text: its filter, in front of the first stage. What a person wrote stays as it is written.
import { type ConditionValue, type Conjunct, conjunctsOf } from "./conjuncts";
import { lexQuery } from "./lex";

const plainField = /^[\p{L}\p{N}_@][\p{L}\p{N}_.@/-]*$/u;
const plainValue = /^[\p{L}_][\p{L}\p{N}_.-]*$/u;
const reserved = new Set(["AND", "OR", "NOT", "TO"]);

export type Scalar = string | number | boolean;

/** Can the language name this field? */
export function canName(field: string): boolean {
  return plainField.test(field);
}

export function fieldCondition(field: string, value: Scalar): string {
  return `${fieldName(field)}:${valueSource(value)}`;
}

/** `field:*`: the record has one. */
export function existsCondition(field: string): string {
  return `${fieldName(field)}:*`;
}

export function quote(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

function fieldName(field: string): string {
  return canName(field) ? field : quote(field);
}

function valueSource(value: Scalar): string {
  const text = String(value);
  const plain = typeof value === "number" ? value >= 0 : plainValue.test(text) && !reserved.has(text);
  return plain ? text : quote(text);
}

/**
 * The query with one more condition; `exclude` negates it. A condition that is already there is not doubled, and its
 * opposite gives way to it.
 */
export function addCondition(query: string, condition: string, exclude: boolean): string {
  const named = conjunctsOf(condition)[0]?.condition;
  const value = named?.values[0]?.text;
  const freed =
    named && value !== undefined ? withoutValue(query, named.field, value, exclude === named.negated) : query;
  return appended(freed, exclude ? `-${condition}` : condition);
}

/** Which values of a field the query asks for, and which it excludes. */
export interface Choice {
  included: string[];
  excluded: string[];
}

export function choiceOf(query: string, field: string): Choice {
  const conditions = conditionsOf(query, field);
  const values = (negated: boolean) =>
    conditions
      .filter(({ condition }) => condition.negated === negated)
      .flatMap(({ condition }) => condition.values.map(({ text }) => text));
  return { included: values(false), excluded: values(true) };
}

/** Asks for one more value of the field, beside those that are asked for; once more takes it back. */
export function toggleIncluded(query: string, field: string, value: Scalar): string {
  const text = String(value);
  if (choiceOf(query, field).included.includes(text)) return withoutValue(query, field, text, false);
  const freed = withoutValue(query, field, text, true);
  const first = conditionsOf(freed, field).find(({ condition }) => !condition.negated);
  if (!first) return appended(freed, fieldCondition(field, value));
  const values = [...first.condition.values, { source: valueSource(value), text }];
  return splice(freed, first.conjunct, written(field, values, false));
}

/** Excludes a value of the field; once more takes it back. */
export function toggleExcluded(query: string, field: string, value: Scalar): string {
  const text = String(value);
  if (choiceOf(query, field).excluded.includes(text)) return withoutValue(query, field, text, true);
  return appended(withoutValue(query, field, text, false), `-${fieldCondition(field, value)}`);
}

/** The query without what it says about single values of the field. */
export function withoutField(query: string, field: string): string {
  const [first] = conditionsOf(query, field);
  return first ? withoutField(splice(query, first.conjunct, ""), field) : query;
}

/** Does the query ask for the records that have no value in the field? */
export function asksForMissing(query: string, field: string): boolean {
  return partWritten(query, `-${existsCondition(field)}`) !== undefined;
}

/** Asks for the records without the field; once more takes it back. */
export function toggleMissing(query: string, field: string): string {
  const text = `-${existsCondition(field)}`;
  const part = partWritten(query, text);
  return part ? splice(query, part, "") : appended(query, text);
}

/** Every field of which the query asks for or excludes single values, or the missing one. */
export function chosenFields(query: string): string[] {
  const { filter } = splitStages(query);
  const fields = conjunctsOf(filter).flatMap(({ start, end, condition }) => {
    const missing = /^-(.+):\*$/.exec(filter.slice(start, end))?.[1];
    return condition ? [condition.field] : missing ? [missing] : [];
  });
  return [...new Set(fields)];
}

/** The filter as if nothing were chosen in the field's facet: what its other values are counted with. */
export function filterBeside(query: string, field: string): string {
  const beside = withoutField(query, field);
  return filterOnly(asksForMissing(beside, field) ? toggleMissing(beside, field) : beside);
}

/** The filter alone, "*" when it is empty: what the stages get to see. */
export function filterOnly(query: string): string {
  return splitStages(query).filter || "*";
}

function partWritten(query: string, text: string): Conjunct | undefined {
  const { filter } = splitStages(query);
  return conjunctsOf(filter).find(({ start, end }) => filter.slice(start, end) === text);
}

function conditionsOf(query: string, field: string) {
  return conjunctsOf(splitStages(query).filter).flatMap((conjunct) => {
    const { condition } = conjunct;
    return condition?.field === field ? [{ conjunct, condition }] : [];
  });
}

function withoutValue(query: string, field: string, value: string, negated: boolean): string {
  const found = conditionsOf(query, field).find(
    ({ condition }) =>
      condition.negated === negated && condition.values.some((candidate) => candidate.text === value),
  );
  if (!found) return query;
  const kept = found.condition.values.filter((candidate) => candidate.text !== value);
  const text = kept.length === 0 ? "" : written(field, kept, negated);
  return withoutValue(splice(query, found.conjunct, text), field, value, negated);
}

function written(field: string, values: ConditionValue[], negated: boolean): string {
  const sources = values.map(({ source }) => source);
  const list = sources.length === 1 ? sources[0] : `(${sources.join(" OR ")})`;
  return `${negated ? "-" : ""}${fieldName(field)}:${list}`;
}

/** Puts a text in the place of a part; an empty one takes the part away, with the AND that joined it. */
function splice(query: string, { start, end }: Conjunct, text: string): string {
  const { filter, stages } = splitStages(query);
  let before = filter.slice(0, start);
  let after = filter.slice(end);
  if (text === "") {
    const joined = /(^|\s)AND\s*$/.test(before);
    before = joined ? before.replace(/\s*AND\s*$/, "") : before;
    after = joined ? after : after.replace(/^\s*AND(?=\s)/, "");
    const gap = before.trim() === "" || after.trim() === "" ? "" : " ";
    return withStages(`${before.trimEnd()}${gap}${after.trimStart()}`, stages);
  }
  return withStages(`${before}${text}${after}`, stages);
}

function appended(query: string, added: string): string {
  const { filter, stages } = splitStages(query);
  const whole = filter === "" || filter === "*";
  if (!whole && conjunctsOf(filter).some(({ start, end }) => filter.slice(start, end) === added))
    return query;
  const kept = whole ? "" : hasTopLevelOr(filter) ? `(${filter}) ` : `${filter} `;
  return withStages(`${kept}${added}`, stages);
}

function withStages(filter: string, stages: string): string {
  if (stages === "") return filter;
  return `${filter === "" ? "*" : filter} ${stages}`;
}

export function splitStages(query: string): { filter: string; stages: string } {
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
