// Where the points of the scatter stand, and which one is meant.

import type { TracePoint } from "../../../api/traces";
import type { Span } from "../../../lib/time/range";

export interface Area {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface Place {
  x: number;
  y: number;
}

export interface LogAxis {
  minNs: number;
  maxNs: number;
  ticks: number[];
}

const leastNs = 1000;
const mostTicks = 6;

/** From a round duration below the shortest to one above the longest: 1, 2 and 5 times powers of ten. */
export function durationAxis(points: TracePoint[]): LogAxis {
  let min = Number.POSITIVE_INFINITY;
  let max = 0;
  for (const { duration_ns } of points) {
    min = Math.min(min, Math.max(duration_ns, leastNs));
    max = Math.max(max, duration_ns, leastNs);
  }
  if (points.length === 0) [min, max] = [1e6, 1e9];
  const rounds: number[] = [];
  const first = Math.floor(Math.log10(min));
  for (let power = first; power <= Math.ceil(Math.log10(max)) + 1; power += 1)
    for (const factor of [1, 2, 5]) rounds.push(factor * 10 ** power);
  const from = Math.max(
    0,
    rounds.findLastIndex((round) => round <= min),
  );
  let to = rounds.findIndex((round) => round >= max);
  if (to <= from) to = from + 1;
  const within = rounds.slice(from, to + 1);
  const decades = within.filter((round) => Number.isInteger(Math.round(Math.log10(round) * 1e9) / 1e9));
  const ticks = within.length <= mostTicks ? within : decades;
  return { minNs: within[0] ?? 1e6, maxNs: within.at(-1) ?? 1e9, ticks };
}

export function placePoints(points: TracePoint[], span: Span, axis: LogAxis, area: Area): Place[] {
  const [low, high] = [Math.log10(axis.minNs), Math.log10(axis.maxNs)];
  const perMs = area.width / Math.max(1, span.endMs - span.startMs);
  return points.map(({ start, duration_ns }) => {
    const share = (Math.log10(Math.max(duration_ns, leastNs)) - low) / Math.max(1e-9, high - low);
    return {
      x: area.left + (Date.parse(start) - span.startMs) * perMs,
      y: area.top + (1 - Math.min(1, Math.max(0, share))) * area.height,
    };
  });
}

/** The nearest point within reach; -1: none. */
export function nearestPoint(places: Place[], x: number, y: number, reach: number): number {
  let found = -1;
  let least = reach * reach;
  for (const [at, place] of places.entries()) {
    const distance = (place.x - x) ** 2 + (place.y - y) ** 2;
    if (distance <= least) {
      least = distance;
      found = at;
    }
  }
  return found;
}
