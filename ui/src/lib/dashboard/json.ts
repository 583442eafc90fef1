// Reading of JSON that somebody else wrote: what is not of the wanted type counts as absent.
export type Fields = Record<string, unknown>;

export function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

export function textOf(value: unknown, otherwise = ""): string {
  return typeof value === "string" ? value : otherwise;
}

/** Numbers are often written as text: "10". */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  if (typeof value !== "string" || value.trim() === "") return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

export function textsOf(value: unknown): string[] {
  return listOf(value).filter((one): one is string => typeof one === "string");
}

/** "30s", "1m", "1d12h" and "auto" or nothing at all as null, in seconds. */
export function durationS(text: string): number | null {
  const units: Record<string, number> = {
    ms: 0.001,
    s: 1,
    m: 60,
    h: 3600,
    d: 86_400,
    w: 604_800,
    M: 2_592_000,
    y: 31_536_000,
  };
  const bare = text.trim().replace(/^[>=<\s]+/, "");
  if (!/^(\d+(\.\d+)?(ms|[smhdwMy]))+$/.test(bare)) return null;
  let sum = 0;
  for (const [, count, unit] of bare.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdwMy])/g))
    sum += Number(count) * (units[unit ?? ""] ?? 0);
  return sum > 0 ? sum : null;
}

/** A pattern of a file: "/…/i" or bare. Null where it is no pattern of JavaScript. */
export function patternOf(text: string, flags = ""): RegExp | null {
  const match = /^\/(.*)\/([a-z]*)$/s.exec(text);
  try {
    return match ? new RegExp(match[1] ?? "", match[2] || flags) : new RegExp(text, flags);
  } catch {
    return null;
  }
}
