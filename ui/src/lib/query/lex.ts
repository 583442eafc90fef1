// Colours a query while it is being typed, before the server's tokens arrive. It never judges: unknown text is text.
export type TokenKind = "field" | "operator" | "value" | "string" | "keyword" | "verb" | "number" | "text";

/** A stretch of the query in UTF-16 units. */
export interface Token {
  start: number;
  end: number;
  kind: TokenKind;
}

/** Where the next word stands; it decides what the word is. */
interface Place {
  /** Behind `:` or `>=`. */
  afterComparison: boolean;
  /** How deep in the parentheses or brackets of `field:(…)`. */
  valueDepth: number;
  afterPipe: boolean;
  inStages: boolean;
  /** Behind `exists` or `_exists_`, where a field's name stands. */
  afterExists: boolean;
}

const piece =
  /(?<blank>\s+)|(?<string>"(?:\\.|[^"\\])*"?|'(?:\\.|[^'\\])*'?)|(?<comparison>>=|<=|!=|=~|!~|[:><=])|(?<mark>[()[\]{}|,])|(?<word>[^\s"()[\]{}|,:<>=!]+|!)/y;
const minus = /-/y;
const comparisonNext = /(?:>=|<=|!=|=~|!~|[:><=])/y;
const parenthesisNext = /\(/y;
// Plain numbers, durations and sizes.
const numeric = /^-?\d+(\.\d+)?(e[+-]?\d+)?(ns|us|µs|μs|ms|s|m|min|h|d|w|B|[kKMGTP]i?B?)?$/;
const keywords = new Set(["AND", "OR", "NOT", "TO", "by", "as", "desc", "asc"]);

export function lexQuery(text: string): Token[] {
  const tokens: Token[] = [];
  const place: Place = {
    afterComparison: false,
    valueDepth: 0,
    afterPipe: false,
    inStages: false,
    afterExists: false,
  };
  let at = 0;
  while (at < text.length) {
    const negates = matchAt(minus, text, at) && canNegate(place);
    const groups: Groups = negates ? { mark: "-" } : (matchAt(piece, text, at)?.groups ?? {});
    const found = Object.values(groups).find((part) => part !== undefined) ?? text.charAt(at);
    const end = at + found.length;
    if (groups.blank === undefined) {
      const next = {
        comparison: matchAt(comparisonNext, text, end) !== null,
        parenthesis: matchAt(parenthesisNext, text, end) !== null,
      };
      tokens.push({ start: at, end, kind: kindOf(groups, found, place, next) });
      step(place, groups, next);
    }
    at = end;
  }
  return tokens;
}

type Groups = Record<string, string | undefined>;

/** What follows at once. */
interface Next {
  comparison: boolean;
  parenthesis: boolean;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** A minus negates in the filter only; in `x:-5` and `bin(-1)` it belongs to the number. */
function canNegate(place: Place): boolean {
  return !place.afterComparison && !place.inStages && place.valueDepth === 0;
}

function kindOf(groups: Groups, found: string, place: Place, next: Next): TokenKind {
  if (groups.string !== undefined) return "string";
  if (groups.comparison !== undefined) return "operator";
  if (groups.mark !== undefined) return found === "|" ? "keyword" : "operator";
  if (place.afterPipe) return "verb";
  if (keywords.has(found) && (place.inStages || found === found.toUpperCase())) return "keyword";
  if (opensSet(groups, place, next) || asksExistence(groups, place, next)) return "verb";
  if (place.afterExists) return "field";
  if (numeric.test(found) && !next.comparison) return "number";
  if (place.inStages) return next.parenthesis ? "verb" : "field";
  if (place.afterComparison || place.valueDepth > 0) return "value";
  return next.comparison ? "field" : "text";
}

/** The `in` of `field:in(a, b)`: what follows are values, as behind the colon. */
function opensSet(groups: Groups, place: Place, next: Next): boolean {
  return groups.word === "in" && place.afterComparison && next.parenthesis;
}

/** `exists(field)` and `_exists_:field`. */
function asksExistence(groups: Groups, place: Place, next: Next): boolean {
  if (place.inStages || place.afterComparison || place.valueDepth > 0) return false;
  return (groups.word === "exists" && next.parenthesis) || (groups.word === "_exists_" && next.comparison);
}

function step(place: Place, groups: Groups, next: Next): void {
  // Operators stand between `exists` and its field; anything else ends it.
  const names = groups.word !== undefined || groups.string !== undefined;
  if (asksExistence(groups, place, next)) place.afterExists = true;
  else if (names || groups.mark === ")") place.afterExists = false;
  if (opensSet(groups, place, next)) return;
  const { comparison, mark } = groups;
  if (mark !== undefined && "([{".includes(mark) && (place.afterComparison || place.valueDepth > 0)) {
    place.valueDepth += 1;
  }
  if (mark !== undefined && ")]}".includes(mark) && place.valueDepth > 0) place.valueDepth -= 1;
  place.afterComparison = comparison !== undefined;
  place.afterPipe = mark === "|";
  place.inStages ||= place.afterPipe;
}
