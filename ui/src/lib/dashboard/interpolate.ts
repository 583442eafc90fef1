// Variables in queries, titles and texts: `$name`, `${name}`, `${name:format}`, `[[name]]`.

export interface VariableValue {
  values: string[];
  /** Of several values, or of one that may stand for several: a query then matches by a pattern. */
  many: boolean;
  /** What stands for all of them without naming each; null: they are named. */
  whole: string | null;
  text: string;
}

export type Scope = Map<string, VariableValue>;

export interface BuiltIns {
  startMs: number;
  endMs: number;
  stepS: number;
  /** The shortest distance of samples. */
  scrapeS: number;
}

export type Use = "promql" | "logs" | "text";

const reference = /\$\{(\w+)(?:\.[^:^}]+)?(?::([^}]+))?\}|\$(\w+)|\[\[(\w+?)(?::(\w+))?\]\]/g;

export function interpolate(text: string, scope: Scope, builtIns: BuiltIns | null, use: Use): string {
  return text.replace(reference, (whole, braced, format, plain, square, squareFormat) => {
    const name: string = braced ?? plain ?? square;
    const value = scope.get(name);
    if (value) return formatted(value, format ?? squareFormat ?? null, use);
    const known = builtIns && builtIn(name, builtIns, format ?? null);
    return known ?? whole;
  });
}

/** The names that a text refers to. */
export function namesIn(text: string): Set<string> {
  const names = new Set<string>();
  for (const [, braced, , plain, square] of text.matchAll(reference))
    names.add(braced ?? plain ?? square ?? "");
  return names;
}

function formatted(value: VariableValue, format: string | null, use: Use): string {
  const { values, many, whole } = value;
  if (format === null) {
    if (use === "text") return value.text;
    if (whole !== null) return whole;
    if (use === "logs") return logsValue(values);
    if (!many) return quotedSafe(values[0] ?? "");
    const escaped = values.map(escapedInQuery);
    return escaped.length === 1 ? (escaped[0] ?? "") : `(${escaped.join("|")})`;
  }
  const kind = format.split(":")[0];
  switch (kind) {
    case "regex": {
      if (whole !== null) return whole;
      const escaped = values.map(escapedPattern);
      return escaped.length === 1 ? (escaped[0] ?? "") : `(${escaped.join("|")})`;
    }
    case "pipe":
      return values.join("|");
    case "glob":
      return values.length > 1 ? `{${values.join(",")}}` : values.join(",");
    case "json":
      return JSON.stringify(values.length === 1 ? values[0] : values);
    case "doublequote":
      return values.map((one) => `"${one.replace(/"/g, '\\"')}"`).join(",");
    case "singlequote":
      return values.map((one) => `'${one.replace(/'/g, "\\'")}'`).join(",");
    case "sqlstring":
      return values.map((one) => `'${one.replace(/'/g, "''")}'`).join(",");
    case "percentencode":
    case "queryparam":
      return values.map(encodeURIComponent).join(",");
    case "text":
      return value.text;
    default:
      return whole !== null && kind === "raw" ? whole : values.join(",");
  }
}

/** Within a PromQL string, of a value that is compared as it is. */
function quotedSafe(value: string): string {
  return value.replace(/\\/g, "\\\\").replace(/"/g, '\\"');
}

/** Within a PromQL string that is a pattern: escaped for the pattern, and that for the string. */
function escapedInQuery(value: string): string {
  return escapedPattern(value).replace(/\\/g, "\\\\").replace(/"/g, '\\"');
}

function escapedPattern(value: string): string {
  return value.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

/** In quotes it goes on as it is; several become alternatives. */
function logsValue(values: string[]): string {
  const safe = values.map((one) => one.replace(/\\/g, "\\\\").replace(/"/g, '\\"'));
  return safe.length === 1 ? (safe[0] ?? "") : `(${safe.map((one) => `"${one}"`).join(" OR ")})`;
}

function builtIn(name: string, at: BuiltIns, format: string | null): string | null {
  const rangeS = Math.max(1, Math.round((at.endMs - at.startMs) / 1000));
  const rateS = Math.max(at.stepS + at.scrapeS, 4 * at.scrapeS);
  switch (name) {
    case "__interval":
      return secondsText(at.stepS);
    case "__interval_ms":
      return String(at.stepS * 1000);
    case "__rate_interval":
      return secondsText(rateS);
    case "__rate_interval_ms":
      return String(rateS * 1000);
    case "__range":
      return `${rangeS}s`;
    case "__range_s":
      return String(rangeS);
    case "__range_ms":
      return String(rangeS * 1000);
    case "__from":
      return instant(at.startMs, format);
    case "__to":
      return instant(at.endMs, format);
    default:
      return null;
  }
}

function instant(ms: number, format: string | null): string {
  if (format === null) return String(ms);
  if (format === "date:seconds") return String(Math.floor(ms / 1000));
  return format === "date" || format === "date:iso" ? new Date(ms).toISOString() : String(ms);
}

/** A duration as PromQL writes it. */
export function secondsText(seconds: number): string {
  return Number.isInteger(seconds) ? `${seconds}s` : `${Math.round(seconds * 1000)}ms`;
}
