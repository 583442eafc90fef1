// Where the nodes of the map stand: columns from the callers at the left to the called at the right. A layout goes on from
// the one before it: what is known keeps its place, what is new takes a free one beside its neighbours.
import { acyclic, columnsOf, type Layers, type Link, layersOf, orderColumns, type Slot } from "./layers";

export const nodeSize = { width: 136, height: 46 };
const columnPx = 212;
const gapPx = 38;
/** Of columns that are long in any case. */
const narrowGapPx = 14;
const longColumn = 12;
const lanePx = 18;
/** Between a node and a line that passes it. */
const clearPx = 12;
/** Of a link within a column. */
const bulgePx = 52;

export interface Place {
  column: number;
  /** Of the middle. */
  y: number;
}

export interface Layout {
  /** Also of nodes that are gone for now, so that they come back to where they were. */
  places: Map<string, Place>;
  /** Where long links pass the columns between their ends, by "from\nto" and from left to right. */
  lanes: Map<string, Place[]>;
}

export function xOf(column: number): number {
  return column * columnPx;
}

/** A layout of nodes and links; the same ones give the same layout, in whatever order they come. */
export function layoutOf(nodeIds: string[], links: Link[], before: Layout | null = null): Layout {
  const ids = [...new Set(nodeIds)].sort();
  const known = before ? ids.filter((id) => before.places.has(id)) : [];
  // Another world is not worth the memory of this one.
  return before && known.length * 2 >= ids.length ? extended(ids, links, before) : fresh(ids, links);
}

function fresh(ids: string[], links: Link[]): Layout {
  const forward = acyclic(ids, sorted(links));
  const layers = layersOf(ids, forward, columnsOf(ids, forward));
  orderColumns(layers);
  const longest = Math.max(
    0,
    ...layers.columns.map((column) => column.filter(({ id }) => id !== null).length),
  );
  const y = heights(layers, longest > longColumn ? narrowGapPx : gapPx);
  const places = new Map<string, Place>();
  for (const column of layers.columns)
    for (const slot of column)
      if (slot.id !== null) places.set(slot.id, { column: slot.column, y: y.get(slot) ?? 0 });
  const lanes = new Map<string, Place[]>();
  for (const [key, slots] of layers.lanes)
    lanes.set(
      key,
      slots.map((slot) => ({ column: slot.column, y: y.get(slot) ?? 0 })),
    );
  return { places, lanes };
}

function sorted(links: Link[]): Link[] {
  return [...links].sort((a, b) => (`${a.from}\n${a.to}` < `${b.from}\n${b.to}` ? -1 : 1));
}

/** The last one goes forward, so that a chain of single calls is straight. */
const rounds = 13;
const roundsByBoth = 5;

/** Each slot as near to its neighbours as the others of its column let it. */
function heights({ columns }: Layers, gap: number): Map<Slot, number> {
  const y = new Map<Slot, number>();
  for (const column of columns) {
    let at = 0;
    for (const [index, slot] of column.entries()) {
      const above = column[index - 1];
      at += above ? distance(above, slot, gap) : 0;
      y.set(slot, at);
    }
  }
  for (let round = 0; round < rounds; round += 1) {
    const forward = round % 2 === 0;
    for (const column of forward ? columns : columns.toReversed()) {
      const both = round >= rounds - roundsByBoth && round < rounds - 1;
      const wanted = column.map((slot) => {
        const near = both ? [...slot.left, ...slot.right] : forward ? slot.left : slot.right;
        return near.length > 0
          ? near.reduce((sum, one) => sum + (y.get(one) ?? 0), 0) / near.length
          : (y.get(slot) ?? 0);
      });
      const weights = column.map((slot) => (slot.id === null ? 3 : 1));
      const gaps = column.slice(1).map((slot, at) => distance(column[at] ?? slot, slot, gap));
      for (const [at, value] of spaced(wanted, weights, gaps).entries()) {
        const slot = column[at];
        if (slot) y.set(slot, value);
      }
    }
  }
  const least = Math.min(0, ...y.values());
  for (const [slot, value] of y) y.set(slot, Math.round(value - least));
  return y;
}

/** Between the middles of two slots of a column. */
function distance(above: Slot, below: Slot, nodeGap: number): number {
  const half = (slot: Slot) => (slot.id === null ? lanePx / 2 : nodeSize.height / 2);
  const gap = above.id !== null && below.id !== null ? nodeGap : clearPx;
  return half(above) + half(below) + gap;
}

/** The values nearest to the wanted ones that keep their order and their distances (least squares). */
export function spaced(wanted: number[], weights: number[], gaps: number[]): number[] {
  const offsets = [0];
  for (const gap of gaps) offsets.push((offsets.at(-1) ?? 0) + gap);
  // Those that push each other stand together, around their common mean.
  const blocks: { sum: number; weight: number; count: number }[] = [];
  for (const [at, value] of wanted.entries()) {
    const weight = weights[at] ?? 1;
    blocks.push({ sum: (value - (offsets[at] ?? 0)) * weight, weight, count: 1 });
    for (
      let last = blocks.at(-1), above = blocks.at(-2);
      last && above;
      last = blocks.at(-1), above = blocks.at(-2)
    ) {
      if (above.sum / above.weight <= last.sum / last.weight) break;
      blocks.splice(-2, 2, {
        sum: above.sum + last.sum,
        weight: above.weight + last.weight,
        count: above.count + last.count,
      });
    }
  }
  const bases = blocks.flatMap(({ sum, weight, count }) => new Array<number>(count).fill(sum / weight));
  return bases.map((base, at) => base + (offsets[at] ?? 0));
}

function extended(ids: string[], links: Link[], before: Layout): Layout {
  const places = new Map(before.places);
  const callers = new Map<string, string[]>();
  const called = new Map<string, string[]>();
  for (const { from, to } of sorted(links)) {
    if (from === to) continue;
    callers.set(to, [...(callers.get(to) ?? []), from]);
    called.set(from, [...(called.get(from) ?? []), to]);
  }
  const placed = (of: string[] | undefined) => (of ?? []).flatMap((id) => places.get(id) ?? []);
  let waiting = ids.filter((id) => !places.has(id));
  while (waiting.length > 0) {
    // Who has a neighbour first; one after the other, because each is a neighbour to the next.
    const id =
      waiting.find((one) => placed(callers.get(one)).length + placed(called.get(one)).length > 0) ??
      waiting[0] ??
      "";
    const [left, right] = [placed(callers.get(id)), placed(called.get(id))];
    const column =
      left.length > 0
        ? Math.max(...left.map((place) => place.column)) + 1
        : right.length > 0
          ? Math.min(...right.map((place) => place.column)) - 1
          : 0;
    const near = [...left, ...right];
    const wanted = near.length > 0 ? near.reduce((sum, { y }) => sum + y, 0) / near.length : 0;
    places.set(id, { column, y: freeY(places, column, wanted, nodeSize.height + narrowGapPx) });
    waiting = waiting.filter((one) => one !== id);
  }
  return { places, lanes: lanesOf(links, places, before.lanes) };
}

/** The height nearest to the wanted one that is so far from every node of the column. */
function freeY(places: Map<string, Place>, column: number, wanted: number, least: number): number {
  const taken = [...places.values()].filter((place) => place.column === column).map(({ y }) => y);
  const isFree = (y: number) => taken.every((one) => Math.abs(one - y) >= least - 0.5);
  const candidates = [wanted, ...taken.flatMap((y) => [y - least, y + least])]
    .map(Math.round)
    .filter(isFree)
    .sort((a, b) => Math.abs(a - wanted) - Math.abs(b - wanted) || a - b);
  return candidates[0] ?? wanted;
}

/** Links that were there pass where they did, unless a node stands there now; new ones find their way. */
function lanesOf(
  links: Link[],
  places: Map<string, Place>,
  before: Map<string, Place[]>,
): Map<string, Place[]> {
  const lanes = new Map<string, Place[]>();
  const least = nodeSize.height / 2 + clearPx;
  for (const { from, to } of sorted(links)) {
    const [a, b] = [places.get(from), places.get(to)];
    if (!a || !b || Math.abs(a.column - b.column) < 2) continue;
    // From left to right, whichever way the calls go.
    const [start, end] = a.column < b.column ? [a, b] : [b, a];
    const key = a.column < b.column ? `${from}\n${to}` : `${to}\n${from}`;
    const old = before.get(key);
    const lane: Place[] = [];
    for (let column = start.column + 1; column < end.column; column += 1) {
      const share = (column - start.column) / (end.column - start.column);
      const wanted = old?.find((place) => place.column === column)?.y ?? start.y + (end.y - start.y) * share;
      lane.push({ column, y: freeY(places, column, wanted, least) });
    }
    lanes.set(key, lane);
  }
  return lanes;
}

export interface Point {
  x: number;
  y: number;
}

export interface Bounds {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** What the nodes and the lines take; null without nodes. */
export function boundsOf(ids: string[], { places, lanes }: Layout): Bounds | null {
  const shown = ids.flatMap((id) => places.get(id) ?? []);
  if (shown.length === 0) return null;
  const heightsOf = [
    ...shown.flatMap(({ y }) => [y - nodeSize.height / 2, y + nodeSize.height / 2]),
    ...[...lanes.values()].flat().map(({ y }) => y),
  ];
  const columns = shown.map(({ column }) => column);
  return {
    left: xOf(Math.min(...columns)),
    right: xOf(Math.max(...columns)) + nodeSize.width,
    top: Math.min(...heightsOf),
    bottom: Math.max(...heightsOf),
  };
}

/** The points of a link, in pairs: it is level within each pair and bends between two of them. */
export function routeOf(from: string, to: string, { places, lanes }: Layout): Point[] {
  const [a, b] = [places.get(from), places.get(to)];
  if (!a || !b) return [];
  const { width } = nodeSize;
  const back = a.column > b.column;
  // What leads back runs a little lower, so that it does not cover what leads there.
  const shift = back ? 9 : 0;
  const start = { x: xOf(a.column) + (back ? 0 : width), y: a.y + shift };
  // Within a column a link leaves at the right and comes back there.
  const end = { x: xOf(b.column) + (back || a.column === b.column ? width : 0), y: b.y + shift };
  const lane = lanes.get(back ? `${to}\n${from}` : `${from}\n${to}`) ?? [];
  const between = (back ? lane.toReversed() : lane).flatMap(({ column, y }) => {
    const ends = [xOf(column), xOf(column) + width].map((x) => ({ x, y: y + shift }));
    return back ? ends.toReversed() : ends;
  });
  return [start, ...between, end];
}

/** As an SVG path. */
export function pathOf(points: Point[]): string {
  const [first, ...rest] = points;
  if (!first) return "";
  let path = `M${first.x} ${first.y}`;
  let last = first;
  for (const point of rest) {
    const middle = last.x === point.x ? last.x + bulgePx : (last.x + point.x) / 2;
    path +=
      point.y === last.y
        ? `L${point.x} ${point.y}`
        : `C${middle} ${last.y} ${middle} ${point.y} ${point.x} ${point.y}`;
    last = point;
  }
  return path;
}

/** A call of a node to itself: a loop above its right end. */
export function loopOf(id: string, { places }: Layout): string {
  const place = places.get(id);
  if (!place) return "";
  const x = xOf(place.column) + nodeSize.width - 34;
  const y = place.y - nodeSize.height / 2;
  return `M${x} ${y}C${x - 6} ${y - 26} ${x + 26} ${y - 26} ${x + 20} ${y}`;
}

/** Halfway along a link, where a word about it stands. */
export function middleOf(points: Point[]): Point | null {
  const at = Math.max(0, 2 * Math.floor((points.length / 2 - 1) / 2));
  const [one, other] = [points[at], points[at + 1]];
  return one && other ? { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 } : null;
}
