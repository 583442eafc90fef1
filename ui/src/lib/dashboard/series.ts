// From answers of a panel's queries to what its chart, stat or gauge shows.
import type { Labels, Points } from "../../api/prometheus";
import type { ChartSeries } from "../chart/series";
import { formatLegend, legendNames } from "../promql/legend";
import { type Grid, onGrid } from "../promql/range";
import { seriesColour } from "./colours";
import { styleOf } from "./fields";
import { interpolate, type Scope } from "./interpolate";
import type { FieldStyle, Panel, Target } from "./model";

export interface PanelSeries extends ChartSeries {
  style: FieldStyle;
  labels: Labels;
  refId: string;
}

export interface TargetAnswer {
  target: Target;
  /** As it was asked. */
  query: string;
  series: Points[];
}

/** Every series under a name of its own, in the order of the queries. */
export function panelSeries(panel: Panel, answers: TargetAnswer[], grid: Grid, scope: Scope): PanelSeries[] {
  const found: PanelSeries[] = [];
  const taken = new Set<string>();
  const colours = new Set<number | string>();
  for (const { target, query, series } of answers) {
    const points = series.filter(({ times }) => times.length > 0);
    const labels = points.map((one) => one.labels);
    const format = interpolate(target.legend, scope, null, "text");
    const names = legendNames(labels, format, query);
    for (const [at, one] of points.entries()) {
      const name = names[at] ?? query;
      const style = styleOf(panel.field, panel.overrides, { name, refId: target.refId, type: "number" });
      if (style.hidden) continue;
      const said = style.displayName ? displayName(style.displayName, name, one.labels, scope) : name;
      const label = taken.has(said) ? `${said} (${target.refId}${at + 1})` : said;
      taken.add(label);
      const values = onGrid(one, grid);
      const colour = style.fixedColour ? seriesColour(style.fixedColour) : null;
      // The same colour twice tells nothing apart; the second one takes its own.
      const free = colour !== null && !colours.has(colour) ? colour : undefined;
      if (free !== undefined) colours.add(free);
      found.push({
        label,
        values: style.negative ? values.map((value) => (value === null ? null : -value)) : values,
        colour: free,
        unit: style.unit === panel.field.unit ? undefined : style.unit,
        style,
        labels: one.labels,
        refId: target.refId,
      });
    }
  }
  return found;
}

/** "${__field.labels.instance}", "${__series.name}" and variables. */
function displayName(format: string, name: string, labels: Labels, scope: Scope): string {
  const own = format
    .replace(
      /\$\{__field\.labels\.([\w.]+)\}|\$\{__field\.labels\["([^"]+)"\]\}/g,
      (_, plain, quoted) => labels[plain ?? quoted] ?? "",
    )
    .replace(/\$\{__(?:field|series)\.(?:name|displayName)\}|\$__(?:field|series)_name/g, name)
    .replace(/\$\{__field\.labels\}/g, Object.values(labels).join(" "));
  return formatLegend(interpolate(own, scope, null, "text"), labels) || name;
}

/** Each value as its share of all at the same time. */
export function asShares(series: PanelSeries[]): PanelSeries[] {
  const length = series[0]?.values.length ?? 0;
  const sums = Array.from({ length }, (_, at) =>
    series.reduce((sum, { values }) => sum + Math.abs(values[at] ?? 0), 0),
  );
  return series.map((one) => ({
    ...one,
    unit: undefined,
    values: one.values.map((value, at) => (value === null || !sums[at] ? value : value / (sums[at] ?? 1))),
  }));
}
