// The unit of what a query answers with: from the metric's metadata, or from the name's ending.
const suffixes: [ending: RegExp, unit: string][] = [
  [/_seconds$/, "s"],
  [/_milliseconds$/, "ms"],
  [/_bytes$/, "bytes"],
  [/_bits$/, "bits"],
  [/_celsius$/, "celsius"],
  [/_(ratio|utilization)$/, "percentunit"],
  [/_percent$/, "percent"],
  [/_(hertz|hz)$/, "hertz"],
  [/_volts$/, "volt"],
  [/_amperes$/, "amp"],
  [/_watts$/, "watt"],
  [/_joules$/, "joule"],
];
const fromMetadata: Record<string, string> = {
  s: "s",
  seconds: "s",
  ms: "ms",
  milliseconds: "ms",
  By: "bytes",
  bytes: "bytes",
  "1": "none",
  "%": "percent",
  Cel: "celsius",
  celsius: "celsius",
  ratio: "percentunit",
};
const perSecond: Record<string, string> = { bytes: "binBps", bits: "bps", none: "ops", s: "percentunit" };

const rates = /\b(rate|irate|deriv)\s*\(/;
/** Functions whose value has another unit than their argument, and what it is. */
const unitless = /^\s*(count|group|count_values|count_over_time|changes|resets|absent|sgn|log2|log10|ln)\b/;
/** What they answer with is of the unit of what was measured, although a rate is within. */
const ofValues = /\bhistogram_(quantile|avg|stddev)\s*\(/;
const word = /[a-zA-Z_:][a-zA-Z0-9_:]*/g;

/** Grafana's id of the unit; "none" when the names do not say. */
export function guessUnit(query: string, known: Record<string, { unit: string }[]> = {}): string {
  if (unitless.test(query)) return "none";
  const names = metricNames(query);
  const [name] = names;
  // A quotient of the same unit is a share; of different ones it is neither.
  if (name === undefined) return "none";
  const units = new Set(names.map((one) => unitOfName(one, known)));
  if (hasDivision(query))
    return units.size === 1 && names.length > 1 && !units.has("none") ? "percentunit" : "none";
  if (units.size > 1) return "none";
  const unit = [...units][0] ?? "none";
  return rates.test(query) && !ofValues.test(query) ? (perSecond[unit] ?? "none") : unit;
}

export function unitOfName(name: string, known: Record<string, { unit: string }[]> = {}): string {
  const base = name.replace(/_(total|sum|bucket|created)$/, "").replace(/:.*$/, "");
  const said = known[name]?.[0]?.unit ?? known[base]?.[0]?.unit ?? "";
  if (fromMetadata[said]) return fromMetadata[said];
  if (/_(count)$/.test(name)) return "none";
  return suffixes.find(([ending]) => ending.test(base))?.[1] ?? "none";
}

const keywords = new Set(
  "by without on ignoring group_left group_right offset bool and or unless inf nan start end atan2".split(
    " ",
  ),
);

/** Names in a query that stand for metrics: not functions, labels, keywords or what is quoted. */
export function metricNames(query: string): string[] {
  const bare = query
    .replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`/g, '""')
    .replace(/#.*$/gm, "")
    .replace(/\{[^}]*\}/g, " ")
    .replace(/\[[^\]]*\]/g, " ")
    .replace(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/gi, " ")
    .replace(/\boffset\s+-?\w+/gi, " ");
  const names: string[] = [];
  for (const match of bare.matchAll(word)) {
    const after = bare.slice(match.index + match[0].length);
    const before = bare[match.index - 1] ?? "";
    if (/^\s*\(/.test(after) || /[\d.$]/.test(before) || keywords.has(match[0].toLowerCase())) continue;
    names.push(match[0]);
  }
  return [...new Set(names)];
}

function hasDivision(query: string): boolean {
  const bare = query.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, "").replace(/#.*$/gm, "");
  // By a number the unit stays.
  return /\/(?!\s*[\d.])/.test(bare);
}
