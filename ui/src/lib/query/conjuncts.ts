// The parts of a filter that must all hold, with their places in the text, so that one of them can be changed and the
// rest of what a person wrote stays as it is.
import { lexQuery, type Token } from "./lex";

export interface Conjunct {
  start: number;
  end: number;
  /** What it compares, when it is `field:value` or a list of values; null for all else. */
  condition: Condition | null;
}

export interface Condition {
  field: string;
  values: ConditionValue[];
  negated: boolean;
}

export interface ConditionValue {
  /** As written, quotes included. */
  source: string;
  text: string;
}

/** The filter's parts; a filter with an OR outside of parentheses is one part. */
export function conjunctsOf(filter: string): Conjunct[] {
  const tokens = lexQuery(filter);
  const words = tokens.map((token) => filter.slice(token.start, token.end));
  const isLogic = (at: number, word: string) => tokens[at]?.kind === "keyword" && words[at] === word;
  const found: Conjunct[] = [];
  let at = 0;
  while (at < tokens.length) {
    if (isLogic(at, "AND")) {
      at += 1;
      continue;
    }
    if (isLogic(at, "OR")) return [{ start: 0, end: filter.length, condition: null }];
    const first = at;
    let negated = false;
    while (isLogic(at, "NOT") || (words[at] === "-" && tokens[at]?.kind === "operator")) {
      negated = !negated;
      at += 1;
    }
    const operand = at;
    at = endOfOperand(tokens, words, at);
    found.push({
      start: tokens[first]?.start ?? 0,
      end: tokens[at - 1]?.end ?? filter.length,
      condition: conditionOf(filter, tokens.slice(operand, at), negated),
    });
  }
  return found;
}

const comparison = /^(?:>=|<=|!=|=~|!~|[:><=])$/;

/** One operand: what is written without a space, whole brackets, and the spaces that may stand around `>=`. */
function endOfOperand(tokens: Token[], words: string[], from: number): number {
  let at = from;
  let depth = 0;
  while (at < tokens.length) {
    const word = words[at] ?? "";
    const token = tokens[at];
    const bracket = token?.kind === "operator";
    if (at > from && depth === 0) {
      const touches = token?.start === tokens[at - 1]?.end;
      const compares =
        bracket && word !== ":" && comparison.test(word) && tokens[at - 1]?.kind !== "operator";
      const compared = tokens[at - 1]?.kind === "operator" && comparison.test(words[at - 1] ?? "");
      if (isLogicWord(token, word) || !(touches || compares || compared)) return at;
    }
    if (bracket && /^[([{]$/.test(word)) depth += 1;
    if (bracket && /^[)\]}]$/.test(word)) depth -= 1;
    at += 1;
    if (depth < 0) return at;
  }
  return at;
}

function isLogicWord(token: Token | undefined, word: string): boolean {
  return token?.kind === "keyword" && (word === "AND" || word === "OR" || word === "NOT");
}

function conditionOf(filter: string, tokens: Token[], negated: boolean): Condition | null {
  const [name, operator, ...rest] = tokens;
  if (!name || !operator || rest.length === 0) return null;
  if (name.kind !== "field" && name.kind !== "string") return null;
  const sign = filter.slice(operator.start, operator.end);
  const written = filter.slice(name.start, name.end);
  const field = unquote(written);
  // A word that begins with a digit is no field, nor is one in front of `://` or `::`.
  if (name.kind === "field" && !/^[\p{L}_@$]/u.test(written)) return null;
  if (/^(?::|\/\/)/.test(filter.slice(operator.end))) return null;
  // `body:word` searches text, it does not compare.
  if (operator.kind !== "operator" || !/^(:|=|!=)$/.test(sign) || field === "body") return null;
  const values = valuesOf(filter, rest);
  return (
    values && { field: field === "level" ? "severity" : field, values, negated: negated !== (sign === "!=") }
  );
}

function valuesOf(filter: string, tokens: Token[]): ConditionValue[] | null {
  const words = tokens.map((token) => filter.slice(token.start, token.end));
  const isSet = words[0] === "in" && words[1] === "(";
  const list = isSet ? words.slice(1) : words;
  if (list[0] !== "(" || tokens[isSet ? 1 : 0]?.kind !== "operator") {
    const value = plainValueOf(filter.slice(tokens[0]?.start, tokens.at(-1)?.end), tokens.length);
    return value && [value];
  }
  if (list.at(-1) !== ")") return null;
  const separator = isSet ? "," : "OR";
  const inner = list.slice(1, -1);
  const values: ConditionValue[] = [];
  for (const [at, word] of inner.entries()) {
    if (at % 2 === 1) {
      if (word !== separator) return null;
      continue;
    }
    const value = plainValueOf(word, 1);
    if (!value) return null;
    values.push(value);
  }
  return inner.length % 2 === 1 ? values : null;
}

/** A plain value; wildcards, ranges and comparisons are none. */
function plainValueOf(source: string, tokenCount: number): ConditionValue | null {
  if (/^"(?:\\.|[^"\\])*"$/.test(source)) return { source, text: unquote(source) };
  const plain = tokenCount === 1 ? /^[^\s"'()[\]{}|,<>=*?]+$/ : /^[^\s"'()[\]{}|,<>=!*?]+$/;
  return plain.test(source) ? { source, text: source } : null;
}

function unquote(source: string): string {
  return source.startsWith('"') ? source.slice(1, -1).replace(/\\(["\\])/g, "$1") : source;
}
