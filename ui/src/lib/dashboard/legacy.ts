// Older forms of panels (graph, singlestat, table-old) as today's: the rest of the reader sees one form only.
import { type Fields, fieldsOf, listOf, numberOf, textOf } from "./json";
import type { Note } from "./lacking";

/** Of an unknown type it is what it was. */
export function modernised(panel: Fields, note: Note): Fields {
  switch (panel.type) {
    case "graph":
      return fromGraph(panel, note);
    case "singlestat":
    case "grafana-singlestat-panel":
      return fromSinglestat(panel, note);
    case "table-old":
      return fromTable(panel, note);
    // Of a dashboard of Grafana 1 to 6 "table" is the old one, which has styles of columns.
    case "table":
      return Array.isArray(panel.styles) && panel.fieldConfig === undefined ? fromTable(panel, note) : panel;
    default:
      return panel;
  }
}

function fromGraph(panel: Fields, note: Note): Fields {
  const axes = listOf(panel.yaxes).map(fieldsOf);
  const left = axes[0] ?? {};
  const bars = panel.bars === true;
  const stacking = panel.stack === true ? (panel.percentage === true ? "percent" : "normal") : "none";
  const fill = numberOf(panel.fill) ?? 1;
  const thresholds = listOf(panel.thresholds).map(fieldsOf);
  if (fieldsOf(panel.xaxis).mode === "series" || fieldsOf(panel.xaxis).mode === "histogram")
    note("a graph over series or values instead of time");
  if (panel.alert !== undefined) note("the alert of the panel");
  return {
    ...panel,
    fieldConfig: {
      defaults: {
        ...fieldsOf(fieldsOf(panel.fieldConfig).defaults),
        unit: textOf(left.format) || textOf(listOf(panel.y_formats)[0]),
        min: numberOf(left.min),
        max: numberOf(left.max),
        decimals: panel.decimals ?? left.decimals,
        thresholds: {
          mode: "absolute",
          steps: thresholds.map(({ value, colorMode }) => ({
            value,
            color: colorMode === "critical" ? "red" : colorMode === "warning" ? "orange" : "blue",
          })),
        },
        custom: {
          drawStyle: bars ? "bars" : panel.lines === false && panel.points === true ? "points" : "line",
          fillOpacity: stacking !== "none" && fill === 0 ? 0 : Math.min(100, fill * 10),
          lineWidth: numberOf(panel.linewidth) ?? 1,
          lineInterpolation: panel.steppedLine === true ? "stepAfter" : "linear",
          stacking: { mode: stacking },
          scaleDistribution: { type: (numberOf(left.logBase) ?? 1) > 1 ? "log" : "linear" },
          thresholdsStyle: { mode: thresholds.length > 0 ? "line" : "off" },
        },
      },
      overrides: [...aliasColours(panel), ...seriesOverrides(panel, axes)],
    },
    options: { legend: graphLegend(fieldsOf(panel.legend)) },
  };
}

function graphLegend(legend: Fields): Fields {
  const calcs = ["avg", "min", "max", "current", "total"].filter((name) => legend[name] === true);
  return {
    showLegend: legend.show !== false,
    displayMode: legend.alignAsTable === true ? "table" : "list",
    calcs: calcs.map((name) => ({ avg: "mean", current: "last", total: "sum" })[name] ?? name),
  };
}

function aliasColours(panel: Fields): Fields[] {
  return Object.entries(fieldsOf(panel.aliasColors)).map(([name, colour]) => ({
    matcher: { id: "byName", options: name },
    properties: [{ id: "color", value: { mode: "fixed", fixedColor: colour } }],
  }));
}

function seriesOverrides(panel: Fields, axes: Fields[]): Fields[] {
  return listOf(panel.seriesOverrides)
    .map(fieldsOf)
    .map((one) => {
      const alias = textOf(one.alias);
      const properties: Fields[] = [];
      const add = (id: string, value: unknown) => properties.push({ id, value });
      if (typeof one.color === "string") add("color", { mode: "fixed", fixedColor: one.color });
      if (one.yaxis === 2) {
        add("custom.axisPlacement", "right");
        if (textOf(axes[1]?.format) !== "") add("unit", axes[1]?.format);
      }
      if (one.stack !== undefined) add("custom.stacking", { mode: one.stack === false ? "none" : "normal" });
      if (one.transform === "negative-Y") add("custom.transform", "negative-Y");
      if (one.bars === true) add("custom.drawStyle", "bars");
      if (one.fill !== undefined) add("custom.fillOpacity", (numberOf(one.fill) ?? 0) * 10);
      if (one.linewidth !== undefined) add("custom.lineWidth", one.linewidth);
      if (one.lines === false && one.bars !== true && one.points !== true)
        add("custom.hideFrom", { viz: true, legend: true, tooltip: true });
      return {
        matcher: { id: /^\/.*\/[a-z]*$/s.test(alias) ? "byRegexp" : "byName", options: alias },
        properties,
      };
    });
}

const valueNames: Record<string, string> = {
  current: "lastNotNull",
  avg: "mean",
  total: "sum",
  range: "range",
  first: "first",
  min: "min",
  max: "max",
  name: "name",
};

function fromSinglestat(panel: Fields, note: Note): Fields {
  const gauge = fieldsOf(panel.gauge);
  const limits = textOf(panel.thresholds)
    .split(",")
    .map((text) => numberOf(text))
    .filter((value) => value !== undefined);
  const colours = listOf(panel.colors).map((colour) => textOf(colour));
  const coloured = panel.colorValue === true || panel.colorBackground === true || gauge.show === true;
  for (const name of ["prefix", "postfix"])
    if (textOf(panel[name]) !== "") note(`the ${name} “${textOf(panel[name])}”`);
  const unit = textOf(panel.format) || textOf(fieldsOf(fieldsOf(panel.fieldConfig).defaults).unit);
  return {
    ...panel,
    type: gauge.show === true ? "gauge" : "stat",
    fieldConfig: {
      defaults: {
        unit,
        decimals: panel.decimals,
        min: gauge.show === true ? numberOf(gauge.minValue) : undefined,
        max: gauge.show === true ? numberOf(gauge.maxValue) : undefined,
        color: { mode: coloured && limits.length > 0 ? "thresholds" : "fixed" },
        thresholds: {
          mode: "absolute",
          steps: coloured
            ? colours.map((color, at) => ({ color, value: at === 0 ? null : limits[at - 1] }))
            : [],
        },
        mappings: [
          ...listOf(panel.valueMaps),
          ...listOf(panel.rangeMaps).map((one) => ({ ...fieldsOf(one), type: 2 })),
        ],
        noValue: textOf(panel.nullText) || undefined,
      },
      overrides: [],
    },
    options: {
      reduceOptions: { calcs: [valueNames[textOf(panel.valueName, "avg")] ?? "mean"] },
      graphMode: fieldsOf(panel.sparkline).show === true ? "area" : "none",
      colorMode: coloured ? "value" : "none",
      textMode: panel.valueName === "name" ? "name" : "value",
    },
  };
}

function fromTable(panel: Fields, note: Note): Fields {
  const overrides: Fields[] = [];
  const excluded: Fields = {};
  const renamed: Fields = {};
  for (const style of listOf(panel.styles).map(fieldsOf)) {
    const pattern = textOf(style.pattern);
    const matcher = { id: /^\/.*\/[a-z]*$/s.test(pattern) ? "byRegexp" : "byName", options: pattern };
    if (style.type === "hidden" && matcher.id === "byName") excluded[pattern] = true;
    else if (style.type === "hidden")
      overrides.push({ matcher, properties: [{ id: "custom.hidden", value: true }] });
    else {
      const properties: Fields[] = [];
      if (style.type === "number" && textOf(style.unit) !== "")
        properties.push({ id: "unit", value: style.unit });
      if (numberOf(style.decimals) !== undefined) properties.push({ id: "decimals", value: style.decimals });
      if (matcher.id === "byName" && textOf(style.alias) !== "" && pattern !== "")
        renamed[pattern] = style.alias;
      if (listOf(style.thresholds).length > 0) note("colours of the older table");
      if (style.link === true) note("links of values");
      overrides.push({ matcher, properties });
    }
  }
  const { col, desc } = fieldsOf(panel.sort);
  if (
    panel.transform !== undefined &&
    panel.transform !== "table" &&
    panel.transform !== "timeseries_to_columns"
  )
    note(`the older table's form ${textOf(panel.transform)}`);
  return {
    ...panel,
    type: "table",
    targets: listOf(panel.targets).map((target) => ({ ...fieldsOf(target), format: "table" })),
    fieldConfig: { defaults: {}, overrides },
    transformations: [
      { id: "merge", options: {} },
      { id: "organize", options: { excludeByName: excluded, renameByName: renamed } },
    ],
    options: typeof col === "number" ? { sortByColumn: col, desc: desc === true } : {},
  };
}
