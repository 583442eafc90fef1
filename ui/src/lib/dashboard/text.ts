// Edits of JSON that leave everything else as it stands: spaces, the order of names, the digits of numbers.
import type { Path } from "./model";

export interface Extent {
  start: number;
  end: number;
}

export class BadJson extends Error {
  constructor(
    message: string,
    /** Where in the text. */
    readonly at: number,
  ) {
    super(message);
  }
}

/** Where the value at a path is; null where there is none. */
export function extentAt(text: string, path: Path): Extent | null {
  let extent: Extent | null = { start: skipSpace(text, 0), end: text.length };
  extent = { start: extent.start, end: endOf(text, extent.start) };
  for (const step of path) {
    if (!extent) return null;
    extent = childOf(text, extent.start, step);
  }
  return extent;
}

/** The text with another value at a path. A name that the last object does not have yet is added to it. */
export function replacedAt(text: string, path: Path, value: unknown): string {
  const made = JSON.stringify(value);
  const extent = extentAt(text, path);
  if (extent) return text.slice(0, extent.start) + made + text.slice(extent.end);
  const name = path.at(-1);
  const parent = extentAt(text, path.slice(0, -1));
  if (!parent || text[parent.start] !== "{" || typeof name !== "string")
    throw new BadJson(`there is no ${path.join(".")} in the dashboard`, parent?.start ?? 0);
  const first = skipSpace(text, parent.start + 1);
  const empty = text[first] === "}";
  return `${text.slice(0, parent.start + 1)}${JSON.stringify(name)}: ${made}${empty ? "" : ", "}${text.slice(empty ? first : parent.start + 1)}`;
}

/** Line and column, from 1. */
export function lineOf(text: string, at: number): { line: number; column: number } {
  const before = text.slice(0, at);
  return { line: before.split("\n").length, column: at - before.lastIndexOf("\n") };
}

/** Null: it is JSON. Otherwise where it is not. */
export function checkJson(text: string): BadJson | null {
  try {
    const start = skipSpace(text, 0);
    const end = skipSpace(text, endOf(text, start));
    if (end < text.length) throw new BadJson("there is something behind the end of the JSON", end);
    JSON.parse(text);
    return null;
  } catch (cause) {
    if (cause instanceof BadJson) return cause;
    return new BadJson(cause instanceof Error ? cause.message : String(cause), 0);
  }
}

function childOf(text: string, start: number, step: string | number): Extent | null {
  const isObject = text[start] === "{";
  if (isObject ? typeof step !== "string" : text[start] !== "[" || typeof step !== "number") return null;
  let at = skipSpace(text, start + 1);
  let found: Extent | null = null;
  for (let index = 0; text[at] !== (isObject ? "}" : "]"); index += 1) {
    let name: unknown = index;
    if (isObject) {
      const nameEnd = endOf(text, at);
      name = JSON.parse(text.slice(at, nameEnd));
      at = skipSpace(text, expected(text, skipSpace(text, nameEnd), ":"));
    }
    const end = endOf(text, at);
    // Of a name that stands twice the later one counts, as for every reader of JSON.
    if (name === step) found = { start: at, end };
    at = skipSpace(text, end);
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
  return found;
}

interface Open {
  close: "}" | "]";
  expects: "name" | "colon" | "value" | "next";
  /** Nothing has come yet, so that it may end at once. */
  fresh: boolean;
}

/** Behind the value that begins at `start`. Without recursion: nesting comes from whoever made the file. */
function endOf(text: string, start: number): number {
  const open: Open[] = [];
  let at = start;
  do {
    at = skipSpace(text, at);
    if (at >= text.length) throw new BadJson("the JSON ends too early", at);
    const inside = open.at(-1);
    if (inside && text[at] === inside.close && (inside.fresh || inside.expects === "next")) {
      open.pop();
      at += 1;
    } else if (inside && inside.expects !== "value") {
      at = afterPart(text, at, inside);
    } else {
      if (inside) Object.assign(inside, { expects: "next", fresh: false });
      if (text[at] === "{") open.push({ close: "}", expects: "name", fresh: true });
      if (text[at] === "[") open.push({ close: "]", expects: "value", fresh: true });
      at = /[{[]/.test(text[at] ?? "")
        ? at + 1
        : text[at] === '"'
          ? endOfString(text, at)
          : endOfWord(text, at);
    }
  } while (open.length > 0);
  return at;
}

/** Behind a name, a colon or a comma. */
function afterPart(text: string, at: number, inside: Open): number {
  inside.fresh = false;
  if (inside.expects === "name") {
    if (text[at] !== '"') throw new BadJson("a name in quotes is missing", at);
    inside.expects = "colon";
    return endOfString(text, at);
  }
  const sign = inside.expects === "colon" ? ":" : ",";
  if (text[at] !== sign) {
    const missing = sign === "," ? `“,” or “${inside.close}” is missing` : "“:” is missing";
    throw new BadJson(missing, at);
  }
  inside.expects = sign === "," && inside.close === "}" ? "name" : "value";
  return at + 1;
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === '"') return at + 1;
    else if (text[at] === "\n") break;
  }
  throw new BadJson("a text is not closed", start);
}

function endOfWord(text: string, start: number): number {
  const word = /[-+.\w]+/y;
  word.lastIndex = start;
  const match = word.exec(text)?.[0] ?? "";
  if (!/^(true|false|null|-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?)$/.test(match))
    throw new BadJson(`“${match || text[start]}” is no value of JSON`, start);
  return start + match.length;
}

function expected(text: string, at: number, character: string): number {
  if (text[at] !== character) throw new BadJson(`“${character}” is missing`, at);
  return at + 1;
}

function skipSpace(text: string, at: number): number {
  let next = at;
  while (next < text.length && /\s/.test(text[next] ?? "")) next += 1;
  return next;
}
