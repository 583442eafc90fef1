// What can stand where the caret is, found from the text alone.
import { lexQuery, type Token } from "./lex";

export type Wanted =
  | { kind: "condition" }
  | { kind: "value"; field: string }
  | { kind: "stage" }
  /** A field inside of a stage; `call` also allows functions. */
  | { kind: "field" }
  | { kind: "measure" }
  | { kind: "grouping" }
  | { kind: "order" }
  | { kind: "after-sort" }
  | { kind: "after-measure" };

export interface Completion {
  wanted: Wanted;
  /** What is typed of it, without an opening quote. */
  prefix: string;
  /** The stretch that an accepted suggestion takes the place of. */
  start: number;
  end: number;
  quoted: boolean;
}

const comparisons = new Set([":", "=", "!=", ">=", "<=", ">", "<"]);

/** null where nothing can be suggested: in free numbers, regular expressions, closed quotes. */
export function completionAt(text: string, caret: number): Completion | null {
  const tokens = lexQuery(text.slice(0, caret));
  const words = tokens.map((token) => text.slice(token.start, token.end));
  const last = tokens.at(-1);
  const inWord = last !== undefined && last.end === caret && isWord(last);
  const at = inWord ? tokens.length - 1 : tokens.length;
  const start = inWord && last ? last.start : caret;
  const source = text.slice(start, caret);
  const quoted = source.startsWith('"');
  if (source.startsWith("'") || (quoted && source.length > 1 && source.endsWith('"'))) return null;
  const wanted = wantedAt(tokens, words, at);
  if (!wanted || (quoted && wanted.kind !== "value")) return null;
  return {
    wanted,
    prefix: quoted ? source.slice(1) : source,
    start,
    end: endOfWord(text, caret, inWord),
    quoted,
  };
}

/** The whole word is replaced, also when the caret is in its middle. */
function endOfWord(text: string, caret: number, inWord: boolean): number {
  const rest = inWord ? /^[^\s"'()[\]{}|,:<>=!]*/.exec(text.slice(caret))?.[0] : "";
  return caret + (rest?.length ?? 0);
}

function isWord(token: Token): boolean {
  return token.kind !== "operator";
}

function wantedAt(tokens: Token[], words: string[], at: number): Wanted | null {
  const pipe = words.slice(0, at).lastIndexOf("|");
  if (tokens[pipe]?.kind === "keyword") return inStage(words.slice(pipe + 1, at));
  const before = words[at - 1];
  if (before !== undefined && tokens[at - 1]?.kind === "operator") {
    if (comparisons.has(before)) return valueAfter(words, at - 1);
    if (before === "=~" || before === "!~" || before === "[" || before === "{") return null;
  }
  const opener = openBracket(tokens, words, at);
  if (opener >= 0) {
    const keyword = words[opener - 1];
    if (keyword === "exists") return { kind: "field" };
    if (keyword === "in" && words[opener - 2] === ":") return valueAfter(words, opener - 2);
    if (keyword !== undefined && comparisons.has(keyword)) return valueAfter(words, opener - 1);
  }
  return { kind: "condition" };
}

function valueAfter(words: string[], comparison: number): Wanted | null {
  const field = words[comparison - 1];
  if (field === undefined) return null;
  if (field === "_exists_") return { kind: "field" };
  return { kind: "value", field: field.replace(/^"|"$/g, "") };
}

/** The bracket that is open at this place, or -1. */
function openBracket(tokens: Token[], words: string[], at: number): number {
  let depth = 0;
  for (let index = at - 1; index >= 0; index -= 1) {
    if (tokens[index]?.kind !== "operator") continue;
    if (words[index] === ")") depth += 1;
    if (words[index] === "(" && depth === 0) return index;
    if (words[index] === "(") depth -= 1;
  }
  return -1;
}

/** `words` are those of the stage in front of the one that is typed. */
function inStage(words: string[]): Wanted | null {
  const [verb, ...rest] = words;
  const before = rest.at(-1);
  const open = count(rest, "(") > count(rest, ")");
  const grouped = rest.indexOf("by");
  if (verb === undefined) return { kind: "stage" };
  if (verb === "fields") return before === undefined || before === "," ? { kind: "field" } : null;
  if (verb === "top")
    return rest.length === 0 || (rest.length === 1 && /^\d+$/.test(before ?? "")) ? { kind: "field" } : null;
  if (verb === "sort") {
    if (before === undefined) return { kind: "after-sort" };
    return before === "by" || before === ","
      ? { kind: "field" }
      : before === "desc" || before === "asc"
        ? null
        : { kind: "order" };
  }
  if (verb !== "stats") return null;
  if (grouped >= 0) {
    return before === "by" || before === "," || before === "(" ? { kind: "grouping" } : null;
  }
  if (open) return before === "(" || before === "," ? { kind: "field" } : null;
  if (before === undefined || before === ",") return { kind: "measure" };
  return before === "as" ? null : { kind: "after-measure" };
}

function count(words: string[], word: string): number {
  return words.filter((candidate) => candidate === word).length;
}
