// Which words of a query to mark in a record's body, and where they stand. Follows the server's rule: literal text,
// case-insensitive unless it is in single quotes, at word boundaries; `*` is any run of characters that are no space,
// `?` one of them, and at an end that is a wildcard there is no boundary.
import { lexQuery } from "./lex";

export interface Term {
  /** As written, without its quotes. */
  text: string;
  pattern: RegExp;
}

export interface MarkRange {
  start: number;
  end: number;
}

const wordChar = /[\p{L}\p{N}_]/u;
// Bounds the work of marking: a run is short in practice, and a word with more of them is left unmarked.
const anyRun = "\\S{0,80}";
const maxRuns = 2;
const boundaryBefore = "(?<![\\p{L}\\p{N}_])";
const boundaryBehind = "(?![\\p{L}\\p{N}_])";

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
    if (!bare || isFieldValue(query, tokens, index)) continue;
    const term = toTerm(text);
    if (term) terms.push(term);
  }
  return terms;
}

/** Where the terms stand in the text, sorted and without overlap. */
export function markRanges(text: string, terms: Term[]): MarkRange[] {
  const found = terms
    .flatMap(({ pattern }) =>
      [...text.matchAll(pattern)].map((match) => ({
        start: match.index,
        end: match.index + match[0].length,
      })),
    )
    .sort((a, b) => a.start - b.start || b.end - a.end);
  const ranges: MarkRange[] = [];
  for (const range of found) {
    const last = ranges.at(-1);
    if (!last || range.start >= last.end) ranges.push(range);
  }
  return ranges;
}

/** Behind a comparison, or in the list of a field's values. */
function isFieldValue(query: string, tokens: { start: number; end: number }[], index: number): boolean {
  let depth = 0;
  for (let at = index - 1; at >= 0; at -= 1) {
    const token = tokens[at];
    const text = token ? query.slice(token.start, token.end) : "";
    if (at === index - 1 && isComparison(text)) return true;
    if (/^[)\]}]$/.test(text)) depth += 1;
    if (!/^[([{]$/.test(text)) continue;
    depth -= 1;
    if (depth >= 0) continue;
    const before = tokens[at - 1];
    const opener = before ? query.slice(before.start, before.end) : "";
    // The bracket of `field:(…)` or of `field:in(…)`; that of a group of conditions is looked behind.
    if (isComparison(opener) || opener === "in") return true;
    depth = 0;
  }
  return false;
}

function isComparison(text: string): boolean {
  return /^(:|>=|<=|!=|=~|!~|[<>=])$/.test(text);
}

function toTerm(source: string): Term | null {
  const quoteMark = /^["']/.exec(source)?.[0];
  if (quoteMark === undefined) {
    const literal = source.replace(/[*?]+/g, "");
    const runs = source.slice(1, -1).split("*").length - 1;
    return literal === "" || runs > maxRuns
      ? null
      : { text: source, pattern: patternOf(source, true, "giu") };
  }
  const closed = source.length > 1 && source.endsWith(quoteMark);
  const text = source.slice(1, closed ? -1 : undefined).replace(/\\(.)/g, "$1");
  if (text.trim() === "") return null;
  return { text, pattern: patternOf(text, false, quoteMark === "'" ? "gu" : "giu") };
}

function patternOf(text: string, wildcards: boolean, flags: string): RegExp {
  const pieces = [...text].map((character) => {
    if (wildcards && character === "*") return anyRun;
    if (wildcards && character === "?") return "\\S";
    return character.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&");
  });
  // A `*` at an end is not marked: what it stands for is not what was searched for.
  if (pieces[0] === anyRun) pieces.shift();
  if (pieces.at(-1) === anyRun) pieces.pop();
  const opens = wordChar.test(text.charAt(0)) ? boundaryBefore : "";
  const closes = wordChar.test(text.charAt(text.length - 1)) ? boundaryBehind : "";
  return new RegExp(`${opens}${pieces.join("")}${closes}`, flags);
}
