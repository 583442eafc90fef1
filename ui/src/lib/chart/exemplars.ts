// Samples that a trace is known of, as marks on a chart. Pure: drawing is in components/chart.
import type { ExemplarPoint } from "../../api/prometheus";
import type { ValueAxis } from "./axis";

export interface Exemplar {
  /** Seconds. */
  time: number;
  /** In the chart's unit; null: its own value is of another kind, the mark stands on the base line. */
  value: number | null;
  traceId: string;
  spanId: string | null;
  /** What it is of: "POST /pay". */
  text: string;
}

const traceLabels = ["trace_id", "traceID", "traceId", "trace.id"];
const spanLabels = ["span_id", "spanID", "spanId", "span.id"];
/** Labels of a series that say what was done, the most telling first. */
const tellingLabels = ["operation", "span_name", "http_route", "rpc_method", "route", "handler", "path"];

/** Those with a trace; without one there is nothing to open. */
export function exemplarsOf(points: ExemplarPoint[], onAxis: boolean): Exemplar[] {
  return points.flatMap(({ series, labels, value, timeS }) => {
    const traceId = first(labels, traceLabels);
    if (traceId === null || !/^[0-9a-f]{1,32}$/i.test(traceId) || Number.isNaN(value)) return [];
    const text = first(series, tellingLabels) ?? "";
    const spanId = first(labels, spanLabels);
    return [{ time: timeS, value: onAxis ? value : null, traceId, spanId, text }];
  });
}

/** Does a query answer with the values that its exemplars have? Rates, counts and what is recalculated do not. */
export function answersInValues(query: string): boolean {
  return /\bhistogram_(quantile|avg)\s*\(/.test(query) && !/\)\s*[*/]\s*[\d.(]|[\d.]\s*\*/.test(query);
}

/** Is it worth to ask for exemplars? They belong to histograms, and to what tells of them by its name. */
export function mayHaveExemplars(query: string): boolean {
  return /\bhistogram_\w+\s*\(|_(bucket|duration|latency|seconds)\b|_(seconds|latency)\{/.test(query);
}

function first(labels: Record<string, string>, names: string[]): string | null {
  for (const name of names) {
    const found = labels[name];
    if (found !== undefined && found !== "") return found;
  }
  return null;
}

export interface PlotBox {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface PlacedExemplar {
  exemplar: Exemplar;
  left: number;
  top: number;
}

/** Marks are at least so far from one another: each must be there to be clicked. */
const apartPx = 12;

/** The highest of those side by side; what is above the axis stands at its top. */
export function placeExemplars(
  exemplars: Exemplar[],
  box: PlotBox,
  [startS, endS]: [number, number],
  axis: ValueAxis,
): PlacedExemplar[] {
  if (box.width <= 0 || endS <= startS) return [];
  const highest = exemplars
    .filter(({ time }) => time >= startS && time <= endS)
    .sort((a, b) => (b.value ?? 0) - (a.value ?? 0));
  // By columns of that width: what is too near is in the same or one beside it.
  const columns = new Map<number, PlacedExemplar>();
  for (const exemplar of highest) {
    const left = box.left + ((exemplar.time - startS) / (endS - startS)) * box.width;
    const column = Math.floor(left / apartPx);
    const beside = [column - 1, column, column + 1].map((one) => columns.get(one));
    if (beside.some((other) => other !== undefined && Math.abs(other.left - left) < apartPx)) continue;
    const top = box.top + (1 - shareOf(exemplar.value, axis)) * box.height;
    columns.set(column, { exemplar, left, top });
  }
  return [...columns.values()].sort((a, b) => a.exemplar.time - b.exemplar.time);
}

/** 0 at the bottom of the axis, 1 at its top. */
function shareOf(value: number | null, { min, max, tickStep }: ValueAxis): number {
  if (value === null || max <= min) return 0;
  // A log axis has no step.
  const share =
    tickStep === 0 && min > 0
      ? Math.log(Math.max(value, min) / min) / Math.log(max / min)
      : (value - min) / (max - min);
  return Math.min(1, Math.max(0, share));
}
