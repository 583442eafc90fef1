// Which words of a query to mark in a record's body, and where they stand. Follows the server's rule: literal text,
// case-insensitive, at word boundaries; `conn*` has no boundary at its end.
import { lexQuery } from "./lex";

export interface Term {
  text: string;
  prefix: boolean;
}

export interface MarkRange {
  start: number;
  end: number;
}

const wordChar = /[\p{L}\p{N}_]/u;

/** Bare words and phrases of the filter that a match must contain; negated ones and field values are left out. */
export function termsOf(query: string): Term[] {
  const terms: Term[] = [];
  const tokens = lexQuery(query);
  for (const [index, token] of tokens.entries()) {
    const text = query.slice(token.start, token.end);
    if (token.kind === "keyword" && text === "|") break;
    const before = tokens[index - 1];
    const beforeText = before ? query.slice(before.start, before.end) : "";
    if (beforeText === "NOT" || beforeText === "-") continue;
    const bare = token.kind === "text" || token.kind === "number" || token.kind === "string";
    if (!bare || isFieldValue(query, tokens[index - 1])) continue;
    const term = toTerm(text);
    if (term) terms.push(term);
  }
  return terms;
}

/** Where the terms stand in the text, sorted and without overlap. */
export function markRanges(text: string, terms: Term[]): MarkRange[] {
  const folded = text.toLowerCase();
  // Lower-casing can change the length (İ); then positions would be wrong, and nothing is marked.
  if (terms.length === 0 || folded.length !== text.length) return [];
  const found = terms
    .flatMap((term) => find(folded, term))
    .sort((a, b) => a.start - b.start || b.end - a.end);
  const ranges: MarkRange[] = [];
  for (const range of found) {
    const last = ranges.at(-1);
    if (!last || range.start >= last.end) ranges.push(range);
  }
  return ranges;
}

function isFieldValue(query: string, before: { start: number; end: number } | undefined): boolean {
  return before !== undefined && /^(:|>=|<=|!=|[<>=])$/.test(query.slice(before.start, before.end));
}

function toTerm(text: string): Term | null {
  if (text.startsWith('"')) {
    const inner = text
      .slice(1, text.endsWith('"') && text.length > 1 ? -1 : undefined)
      .replace(/\\(.)/g, "$1");
    return inner.trim() === "" ? null : { text: inner.toLowerCase(), prefix: false };
  }
  const prefix = text.endsWith("*");
  const word = (prefix ? text.slice(0, -1) : text).toLowerCase();
  return word === "" || word.includes("*") ? null : { text: word, prefix };
}

function find(folded: string, term: Term): MarkRange[] {
  const ranges: MarkRange[] = [];
  for (let at = folded.indexOf(term.text); at >= 0; at = folded.indexOf(term.text, at + 1)) {
    const end = at + term.text.length;
    const opens = boundary(folded[at - 1], term.text[0]);
    const closes = term.prefix || boundary(folded[end], term.text.at(-1));
    if (opens && closes) ranges.push({ start: at, end });
  }
  return ranges;
}

function boundary(outside: string | undefined, inside: string | undefined): boolean {
  return !(outside && inside && wordChar.test(inside) && wordChar.test(outside));
}
