import { useMemo } from "react";
import { TimeSeriesChart } from "../../../components/chart/TimeSeriesChart";
import type { Exemplar } from "../../../lib/chart/exemplars";
import type { Thresholds } from "../../../lib/chart/series";
import type { Panel } from "../../../lib/dashboard/model";
import { asShares, type PanelSeries } from "../../../lib/dashboard/series";
import { limitsOf } from "../../../lib/dashboard/values";
import { type Grid, gridTimes } from "../../../lib/promql/range";
import type { Span } from "../../../lib/time/range";
import type { Zone } from "../../../lib/time/zone";
import { formatValue } from "../../../lib/units";

interface TimePanelProps {
  panel: Panel;
  name: string;
  series: PanelSeries[];
  grid: Grid;
  span: Span;
  zone: Zone;
  widthPx: number;
  heightPx: number;
  exemplars: Exemplar[];
  onZoom: (span: Span) => void;
  onZoomBack: () => void;
}

const leastPx = 56;

/** Values over time. Bars, stacks and fills are the whole panel's; single series that differ are drawn like the others. */
export function TimePanel(props: TimePanelProps) {
  const { panel, name, series, grid, span, zone, widthPx, heightPx, exemplars, onZoom, onZoomBack } = props;
  const { field } = panel;
  const percent = field.percentStack;
  const stack = field.stack || percent;
  const shown = useMemo(() => (percent ? asShares(series) : series), [series, percent]);
  const { startS, endS, stepS } = grid;
  const times = useMemo(() => gridTimes({ startS, endS, stepS }), [startS, endS, stepS]);
  const unit = percent ? "percentunit" : field.unit;
  const thresholds = useMemo(
    (): Thresholds[] =>
      field.showThresholds
        ? limitsOf(field).map(({ value, level }) => ({
            value,
            kind: level ?? "info",
            label: formatValue(value, unit, field.decimals),
          }))
        : [],
    [field, unit],
  );
  const asTable = panel.legend === "table" || (panel.legend === "auto" && series.length > 6);
  const tablePx = Math.min(28 + 24 * series.length, Math.max(76, Math.round(heightPx * 0.4)));
  const legendPx =
    panel.legend === "hidden"
      ? 0
      : asTable
        ? tablePx + (series.length > 10 ? 26 : 6)
        : listHeight(series, widthPx);
  const negative = series.some(({ style }) => style.negative);
  return (
    <TimeSeriesChart
      name={name}
      series={shown}
      times={times}
      unit={unit}
      decimals={field.decimals}
      zone={zone}
      span={span}
      height={Math.max(leastPx, heightPx - legendPx)}
      legendPx={tablePx}
      legend={panel.legend}
      style={field.draw}
      stack={stack && !negative}
      fill={stack ? null : field.fill === null ? null : Math.min(field.fill, 0.13)}
      steps={field.steps}
      log={field.log}
      min={percent ? 0 : field.min}
      max={percent ? 1 : field.max}
      zero={field.min !== undefined || stack || field.draw === "bars" || !nearlyFlat(shown)}
      thresholds={thresholds}
      exemplars={exemplars}
      onZoom={onZoom}
      onZoomBack={onZoomBack}
    />
  );
}

/** How high a legend of names gets that wraps; a character is about 6 px wide. */
function listHeight(series: PanelSeries[], widthPx: number): number {
  let rows = 1;
  let used = 16;
  for (const { label } of series) {
    const entry = Math.min(widthPx - 20, 6 * (label.length + 9) + 34);
    if (used + entry > widthPx && used > 16) {
      rows += 1;
      used = 16;
    }
    used += entry;
  }
  return rows * 24 + 8;
}

/** Values that differ a little, far from zero: with zero on the axis they would be a line at the top. */
function nearlyFlat(series: PanelSeries[]): boolean {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { values } of series)
    for (const value of values)
      if (value !== null) {
        min = Math.min(min, value);
        max = Math.max(max, value);
      }
  return min > 0 && max > min && max - min < max * 0.02;
}
