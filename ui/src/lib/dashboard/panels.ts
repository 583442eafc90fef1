// One panel of the file as ours.
import { datasourceOf, isMixed, type Known } from "./datasource";
import { readField, readOverrides } from "./fields";
import { durationS, type Fields, fieldsOf, listOf, numberOf, textOf, textsOf } from "./json";
import type { Notes } from "./lacking";
import { modernised } from "./legacy";
import type { GridPos, Panel, PanelKind, Path, Target } from "./model";
import { readTransformations } from "./transforms";

const kinds: Record<string, PanelKind | undefined> = {
  timeseries: "timeseries",
  graph: "timeseries",
  stat: "stat",
  gauge: "gauge",
  bargauge: "bargauge",
  table: "table",
  text: "text",
  logs: "logs",
};

export function readPanel(source: Fields, path: Path, grid: GridPos, known: Known, notes: Notes): Panel {
  const id = numberOf(source.id) ?? null;
  const title = textOf(source.title);
  const name = title || `panel ${id ?? path.join(".")}`;
  const note = notes.of(name);
  const modern = modernised(source, note);
  const type = textOf(source.type, "?");
  const kind = kinds[textOf(modern.type)] ?? "other";
  if (kind === "other") note(type === "?" ? "a panel without a type" : `a panel of the type ${type}`);
  const options = fieldsOf(modern.options);
  const config = fieldsOf(modern.fieldConfig);
  const targets = readTargets(modern, kind, path, known);
  if (kind !== "other" && kind !== "text")
    for (const { datasource, refId } of targets) noteDatasource(kind, datasource, refId, note);
  if (source.libraryPanel !== undefined && targets.length === 0) note("a panel from Grafana's library");
  if (textOf(source.timeFrom) !== "") note(`its own time range, ${textOf(source.timeFrom)}`);
  if (textOf(source.timeShift) !== "") note(`a shift in time by ${textOf(source.timeShift)}`);
  if (listOf(source.links).length > 0) note("links of the panel");
  const reduce = fieldsOf(options.reduceOptions);
  const calc = textsOf(reduce.calcs)[0] ?? "lastNotNull";
  if (!calcs.has(calc)) note(`the value “${calc}”; the last one is shown`);
  if (reduce.values === true && (kind === "stat" || kind === "gauge" || kind === "bargauge"))
    note("a cell for every row of the answer");
  const reads =
    kind === "timeseries" || kind === "stat" || kind === "gauge" || kind === "bargauge" || kind === "table";
  return {
    key: id === null ? path.join(".") : String(id),
    id,
    path,
    kind,
    type,
    title,
    description: textOf(source.description),
    grid,
    targets,
    field: readField(config.defaults, reads ? note : ignore),
    overrides: readOverrides(config.overrides, reads ? note : ignore),
    legend: legendOf(fieldsOf(options.legend), kind, note),
    calc: calcs.has(calc) ? calc : "lastNotNull",
    orientation:
      options.orientation === "horizontal" || options.orientation === "vertical"
        ? options.orientation
        : "auto",
    textMode: textModeOf(options.textMode),
    spark: kind === "stat" && options.graphMode !== "none",
    colourMode:
      options.colorMode === "background" || options.colorMode === "background_solid"
        ? "background"
        : options.colorMode === "none"
          ? "none"
          : "value",
    sortBy: sortOf(options),
    transformations: readTransformations(modern.transformations, kind, note),
    content: kind === "text" ? contentOf(source, options, note) : null,
    repeat: repeatOf(source),
    minIntervalS: durationS(textOf(source.interval)),
  };
}

const ignore = () => {};

export const calcs = new Set([
  "lastNotNull",
  "last",
  "firstNotNull",
  "first",
  "mean",
  "max",
  "min",
  "sum",
  "count",
  "range",
  "delta",
  "diff",
  "name",
]);

function readTargets(panel: Fields, kind: PanelKind, path: Path, known: Known): Target[] {
  const mixed = isMixed(panel.datasource);
  return listOf(panel.targets).map((one, at): Target => {
    const source = fieldsOf(one);
    const own = source.datasource !== undefined && source.datasource !== null;
    const datasource = datasourceOf(own || mixed ? source.datasource : panel.datasource, known);
    return {
      refId: textOf(source.refId) || String.fromCharCode(65 + (at % 26)),
      datasource,
      expr: datasource.kind === "other" ? "" : textOf(source.expr),
      legend: source.legendFormat === "__auto" ? "" : textOf(source.legendFormat),
      instant: source.instant === true && source.range !== true,
      table: source.format === "table" || kind === "table",
      hidden: source.hide === true,
      exemplars: typeof source.exemplar === "boolean" ? source.exemplar : null,
      interval: textOf(source.interval),
      path: [...path, "targets", at],
    };
  });
}

function noteDatasource(
  kind: PanelKind,
  datasource: Target["datasource"],
  refId: string,
  note: (what: string) => void,
): void {
  if (datasource.kind === "other") note(`query ${refId}, which asks ${datasource.name}`);
  else if (kind === "logs" && datasource.kind === "prometheus")
    note(`query ${refId}, which is no query of logs`);
  else if (kind !== "logs" && datasource.kind === "logs") note(`query ${refId}, which asks logs for numbers`);
}

function legendOf(legend: Fields, kind: PanelKind, note: (what: string) => void): Panel["legend"] {
  if (kind !== "timeseries") return "auto";
  const unshown = textsOf(legend.calcs).filter((calc) => !["last", "lastNotNull", "max"].includes(calc));
  if (unshown.length > 0) note(`${unshown.join(", ")} in the legend`);
  if (legend.showLegend === false || legend.displayMode === "hidden") return "hidden";
  return legend.displayMode === "table" ? "table" : "auto";
}

function textModeOf(mode: unknown): Panel["textMode"] {
  return mode === "value" || mode === "name" || mode === "value_and_name" || mode === "none" ? mode : "auto";
}

function sortOf(options: Fields): Panel["sortBy"] {
  const { displayName, desc } = fieldsOf(listOf(options.sortBy)[0]);
  return textOf(displayName) === "" ? null : { field: textOf(displayName), desc: desc === true };
}

/** Grafana 5 to 9 had mode and content beside the type. */
function contentOf(source: Fields, options: Fields, note: (what: string) => void): { markdown: string } {
  const mode = textOf(options.mode) || textOf(source.mode, "markdown");
  if (mode === "html") note("HTML in a text; its words are shown");
  return { markdown: textOf(options.content) || textOf(source.content) };
}

function repeatOf(source: Fields): Panel["repeat"] {
  const variable = textOf(source.repeat);
  if (variable === "") return null;
  return {
    variable: variable.replace(/^\$/, ""),
    direction: source.repeatDirection === "v" ? "v" : "h",
    maxPerRow: Math.max(1, numberOf(source.maxPerRow) ?? 4),
  };
}
