// The value axis: where it begins and ends, and three to five round ticks.
import { formatInStep, formatValue, isWordUnit, type UnitStep, unitStep } from "../units";

export interface AxisRequest {
  extent: { min: number; max: number } | null;
  unit: string;
  min?: number | undefined;
  max?: number | undefined;
  log?: boolean | undefined;
  /** Zero is on the axis, as bars, areas, rates and latencies need it. */
  zero?: boolean | undefined;
}

export interface ValueAxis {
  min: number;
  max: number;
  ticks: number[];
  /** Between two ticks; of a log axis nothing. */
  tickStep: number;
  scale: UnitStep;
}

const tickCount = 4;

export function valueAxis({ extent, unit, min, max, log = false, zero = true }: AxisRequest): ValueAxis {
  const from = min ?? (log || !zero ? (extent?.min ?? 0) : Math.min(0, extent?.min ?? 0));
  const to = max ?? (zero && !log ? Math.max(0, extent?.max ?? 1) : (extent?.max ?? 1));
  if (log) return logAxis(from, to, unit);
  const flat = to <= from;
  const low = flat && min === undefined && from !== 0 ? from - Math.abs(from) * 0.5 : from;
  const high = flat ? from + Math.max(Math.abs(from) * 0.5, from === 0 ? 1 : 0) : to;
  const scale = unitStep(unit, Math.max(Math.abs(low), Math.abs(high)));
  const tickStep = roundStep((high - low) / (flat ? 1 : tickCount) / scale.factor) * scale.factor;
  // The outermost tick, or a little further than what is drawn: an axis that ends far from it wastes half of the chart.
  const bottom = min ?? Math.max(floorTo(low, tickStep), low === 0 ? 0 : low - (high - low) * 0.08);
  const top =
    max ?? Math.min(ceilTo(high, tickStep), Math.max(high + (high - low) * 0.08, bottom + tickStep));
  const ticks: number[] = [];
  for (let at = Math.ceil(bottom / tickStep - 1e-9); at * tickStep <= top * (1 + 1e-12) + 1e-300; at += 1)
    ticks.push(at === 0 ? 0 : at * tickStep);
  return { min: bottom, max: top, ticks, tickStep, scale };
}

/** Powers of ten, at most five of them written. */
function logAxis(from: number, to: number, unit: string): ValueAxis {
  const low = 10 ** Math.floor(Math.log10(from > 0 ? from : to > 0 ? to / 1000 : 1));
  const high = Math.max(low * 10, 10 ** Math.ceil(Math.log10(to > 0 ? to : 1)));
  const decades = Math.round(Math.log10(high / low));
  const every = Math.max(1, Math.ceil(decades / (tickCount + 1)));
  const ticks: number[] = [];
  for (let at = 0; at <= decades; at += every) ticks.push(low * 10 ** at);
  return { min: low, max: high, ticks, tickStep: 0, scale: unitStep(unit, high) };
}

/** What stands at a tick; the unit is in the title, except on a log axis, where the ticks differ too much. */
export function tickText(value: number, axis: ValueAxis, unit: string): string {
  if (isWordUnit(unit) || axis.tickStep === 0) return formatValue(value, unit);
  return formatInStep(value, axis.scale, axis.tickStep);
}

/** 1, 2, 2.5 or 5 times a power of ten. */
export function roundStep(rough: number): number {
  if (!(rough > 0) || !Number.isFinite(rough)) return 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 2.5, 5, 10].find((round) => round >= rough / power - 1e-9) ?? 10;
  return factor * power;
}

function floorTo(value: number, step: number): number {
  return Math.floor(value / step + 1e-9) * step;
}

function ceilTo(value: number, step: number): number {
  return Math.ceil(value / step - 1e-9) * step;
}
