// How values look: units, limits, thresholds, mappings, and the overrides of single series or columns.
import { fieldsOf, isFields, listOf, numberOf, textOf } from "./json";
import type { Note } from "./lacking";
import type { FieldStyle, Mapping, Override } from "./model";

export const plainField: FieldStyle = {
  unit: "none",
  decimals: undefined,
  min: undefined,
  max: undefined,
  thresholds: { percent: false, steps: [] },
  mappings: [],
  displayName: null,
  noValue: null,
  fixedColour: null,
  byThresholds: false,
  draw: "lines",
  fill: null,
  lineWidth: undefined,
  stack: false,
  percentStack: false,
  steps: false,
  log: false,
  negative: false,
  showThresholds: false,
  hidden: false,
  align: null,
};

/** What `fieldConfig.defaults` says; what is not there stays plain. */
export function readField(defaults: unknown, note: Note): FieldStyle {
  const source = fieldsOf(defaults);
  const custom = fieldsOf(source.custom);
  let style = { ...plainField };
  for (const [name, value] of Object.entries(source))
    if (name !== "custom") style = { ...style, ...(readProperty(name, value, note) ?? {}) };
  for (const [name, value] of Object.entries(custom))
    style = { ...style, ...(readProperty(`custom.${name}`, value, note) ?? {}) };
  if (listOf(source.links).length > 0) note("links of values");
  return style;
}

export function readOverrides(overrides: unknown, note: Note): Override[] {
  return listOf(overrides).flatMap((one) => {
    const { matcher, properties } = fieldsOf(one);
    const found = readMatcher(matcher);
    if (found === null) {
      note(`overrides by “${textOf(fieldsOf(matcher).id, "?")}”`);
      return [];
    }
    let style: Partial<FieldStyle> = {};
    for (const property of listOf(properties)) {
      const { id, value } = fieldsOf(property);
      const read = readProperty(textOf(id), value, note);
      if (read === null) note(`override of ${textOf(id, "?")}`);
      style = { ...style, ...read };
    }
    return [{ matcher: found, style }];
  });
}

function readMatcher(value: unknown): Override["matcher"] | null {
  const { id, options } = fieldsOf(value);
  const text = textOf(options);
  if (id === "byName") return { kind: "name", name: text };
  if (id === "byRegexp") return { kind: "regex", pattern: text };
  if (id === "byFrameRefID") return { kind: "refId", refId: text };
  if (id === "byType") return { kind: "type", type: text };
  return null;
}

/** Of these nothing is lost that a reader would miss, or another part of the app decides it. */
const unimportant = new Set(
  (
    "links custom.axisBorderShow custom.axisCenteredZero custom.axisColorMode custom.axisLabel custom.axisGridShow " +
    "custom.axisWidth custom.barAlignment custom.barMaxWidth custom.barWidthFactor custom.gradientMode custom.pointSize " +
    "custom.showPoints custom.insertNulls custom.width custom.minWidth custom.inspect custom.filterable custom.displayMode " +
    "custom.showValues custom.wrapText custom.wrapHeaderText custom.spanNulls custom.scaleDistribution.linearThreshold " +
    "custom.fillBelowTo custom.lineStyle custom.lineInterpolation filterable writeable description path nullValueMode " +
    "fieldMinMax custom.axisSoftMin custom.axisSoftMax custom.stacking.group displayNameFromDS custom.footer"
  ).split(" "),
);

/** Null: not understood. */
export function readProperty(id: string, value: unknown, note: Note): Partial<FieldStyle> | null {
  switch (id) {
    case "unit":
      return { unit: textOf(value) || "none" };
    case "decimals": {
      const decimals = numberOf(value);
      return {
        decimals: decimals === undefined ? undefined : Math.min(10, Math.max(0, Math.round(decimals))),
      };
    }
    case "min":
      return { min: numberOf(value) };
    case "max":
      return { max: numberOf(value) };
    case "displayName":
      return { displayName: textOf(value) || null };
    case "noValue":
      return { noValue: textOf(value) || null };
    case "thresholds":
      return { thresholds: readThresholds(value) };
    case "mappings":
      return { mappings: readMappings(value) };
    case "color":
      return readColour(value, note);
    default:
      return id.startsWith("custom.") ? readCustom(id, value, note) : unimportant.has(id) ? {} : null;
  }
}

function readCustom(id: string, value: unknown, note: Note): Partial<FieldStyle> | null {
  switch (id) {
    case "custom.drawStyle":
      return { draw: value === "bars" ? "bars" : value === "points" ? "points" : "lines" };
    case "custom.fillOpacity":
      return { fill: shareOf(numberOf(value)) };
    case "custom.lineWidth":
      return { lineWidth: numberOf(value) };
    case "custom.stacking": {
      const mode = typeof value === "string" ? value : textOf(fieldsOf(value).mode, "none");
      return { stack: mode !== "none" && mode !== "", percentStack: mode === "percent" };
    }
    case "custom.lineInterpolation":
      return { steps: value === "stepBefore" || value === "stepAfter" };
    case "custom.scaleDistribution":
      return { log: fieldsOf(value).type === "log" };
    case "custom.transform":
      if (value === "constant") note("constant lines");
      return { negative: value === "negative-Y" };
    case "custom.thresholdsStyle": {
      const mode = textOf(fieldsOf(value).mode, "off");
      return { showThresholds: mode !== "off" };
    }
    case "custom.axisPlacement":
      if (value === "right") note("a second axis, on the right");
      return value === "hidden" ? {} : {};
    case "custom.hideFrom": {
      const { viz, legend, tooltip } = fieldsOf(value);
      if ((legend === true || tooltip === true) && viz !== true) note("names left out of legend or tooltip");
      return { hidden: viz === true };
    }
    case "custom.hidden":
      return { hidden: value === true };
    case "custom.align":
      return { align: value === "left" || value === "right" || value === "center" ? value : null };
    case "custom.cellOptions": {
      const type = textOf(fieldsOf(value).type, "auto");
      if (type === "sparkline" || type === "image" || type === "gauge") note(`cells as ${type}`);
      // Our tables colour the text, never the cell.
      return type.startsWith("color") ? { byThresholds: true } : {};
    }
    default:
      return unimportant.has(id) ? {} : null;
  }
}

function shareOf(percent: number | undefined): number | null {
  return percent === undefined ? null : Math.min(1, Math.max(0, percent / 100));
}

function readColour(value: unknown, note: Note): Partial<FieldStyle> {
  const { mode, fixedColor } = fieldsOf(value);
  if (mode === "fixed" || mode === "shades") return { fixedColour: textOf(fixedColor) || null };
  if (mode === "thresholds") return { byThresholds: true, fixedColour: null };
  if (typeof mode === "string" && mode.startsWith("continuous")) note("continuous colour scales");
  return {};
}

export function readThresholds(value: unknown): FieldStyle["thresholds"] {
  const { mode, steps } = fieldsOf(value);
  return {
    percent: mode === "percentage",
    steps: listOf(steps)
      .filter(isFields)
      .map((step) => ({ value: numberOf(step.value) ?? null, colour: textOf(step.color) }))
      .sort((a, b) => (a.value ?? Number.NEGATIVE_INFINITY) - (b.value ?? Number.NEGATIVE_INFINITY)),
  };
}

/** Today's form (`{type, options}`), and the older list of `{value, text}`. */
export function readMappings(value: unknown): Mapping[] {
  return listOf(value).flatMap((one): Mapping[] => {
    const { type, options, value: single, text, from, to } = fieldsOf(one);
    const result = fieldsOf(fieldsOf(options).result);
    const said = { text: textOf(result.text) || null, colour: textOf(result.color) || null };
    if (type === "value")
      return Object.entries(fieldsOf(options)).map(([key, found]) => {
        const { text: label, color } = fieldsOf(found);
        return {
          match: { kind: "value", value: key },
          text: textOf(label) || null,
          colour: textOf(color) || null,
        };
      });
    if (type === "range") {
      const bounds = fieldsOf(options);
      return [
        {
          match: { kind: "range", from: numberOf(bounds.from) ?? null, to: numberOf(bounds.to) ?? null },
          ...said,
        },
      ];
    }
    if (type === "regex")
      return [{ match: { kind: "regex", pattern: textOf(fieldsOf(options).pattern) }, ...said }];
    if (type === "special")
      return [{ match: { kind: "special", what: textOf(fieldsOf(options).match) }, ...said }];
    const label = textOf(text) || null;
    if (type === 2)
      return [
        {
          match: { kind: "range", from: numberOf(from) ?? null, to: numberOf(to) ?? null },
          text: label,
          colour: null,
        },
      ];
    const key = typeof single === "number" ? String(single) : textOf(single);
    if (key === "null" || key === "")
      return [{ match: { kind: "special", what: "null" }, text: label, colour: null }];
    return [{ match: { kind: "value", value: key }, text: label, colour: null }];
  });
}

/** The style of one series or column. */
export function styleOf(
  field: FieldStyle,
  overrides: Override[],
  about: { name: string; refId: string; type: string },
): FieldStyle {
  let style = field;
  for (const { matcher, style: change } of overrides) {
    const matches =
      matcher.kind === "name"
        ? matcher.name === about.name
        : matcher.kind === "refId"
          ? matcher.refId === about.refId
          : matcher.kind === "type"
            ? matcher.type === about.type
            : matchesPattern(matcher.pattern, about.name);
    if (matches) style = { ...style, ...change };
  }
  return style;
}

const patterns = new Map<string, RegExp | null>();

function matchesPattern(text: string, name: string): boolean {
  let pattern = patterns.get(text);
  if (pattern === undefined) {
    const match = /^\/(.*)\/([a-z]*)$/s.exec(text);
    try {
      pattern = match
        ? new RegExp(match[1] ?? "", (match[2] ?? "").replace("g", ""))
        : new RegExp(`^${text}$`);
    } catch {
      pattern = null;
    }
    patterns.set(text, pattern);
  }
  return pattern?.test(name) ?? false;
}
