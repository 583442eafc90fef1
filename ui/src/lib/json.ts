// JSON as records carry it, and short texts of it for rows and folded nodes.
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

export function isObject(value: Json): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: terminal colour codes begin with one
const terminalCodes = /\u001b\[[0-9;?]*[A-Za-z]/g;
const rowLimit = 2000;

/** One line for a row: no colour codes, no line breaks, cut where no screen is wider. */
export function oneLine(body: Json): string {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return text.slice(0, rowLimit).replace(terminalCodes, "").replace(/\s+/g, " ").trim();
}

/** As oneLine, with its line breaks. */
export function manyLines(body: Json): string {
  const text = typeof body === "string" ? body : JSON.stringify(body, null, 2);
  return text.slice(0, rowLimit).replace(terminalCodes, "").trimEnd();
}

/** The folded form of a node: `{ id: "5512", items: 11, … 4 }`. */
export function summary(value: Json, budget = 64): string {
  const entries: [string, Json][] = Array.isArray(value)
    ? value.map((item) => ["", item])
    : Object.entries(value ?? {});
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  if (entries.length === 0) return `${open}${close}`;
  const shown: string[] = [];
  let length = 0;
  for (const [key, item] of entries) {
    const text = `${key === "" ? "" : `${key}: `}${scalar(item)}`;
    if (length + text.length > budget) break;
    shown.push(text);
    length += text.length;
  }
  const rest = entries.length - shown.length;
  if (shown.length === 0) return `${open} ${rest} ${close}`;
  return `${open} ${shown.join(", ")}${rest > 0 ? `, … ${rest} more` : ""} ${close}`;
}

function scalar(value: Json): string {
  if (Array.isArray(value)) return value.length === 0 ? "[]" : "[…]";
  if (typeof value === "object" && value !== null) return Object.keys(value).length === 0 ? "{}" : "{…}";
  if (typeof value === "string" && value.length > 32) return JSON.stringify(`${value.slice(0, 31)}…`);
  return JSON.stringify(value);
}

type Reviver = (key: string, value: unknown, context?: { source?: string }) => unknown;

/** Like JSON.parse, but whole numbers that JavaScript would round (64-bit ids) stay exact, as text. */
export function parseJson(text: string): unknown {
  if (!/\d{16}/.test(text)) return JSON.parse(text);
  const exact: Reviver = (_, value, context) => {
    const rounded = typeof value === "number" && !Number.isSafeInteger(value);
    return rounded && /^-?\d+$/.test(context?.source ?? "") ? context?.source : value;
  };
  return JSON.parse(text, exact);
}
