// The layers of a layout: which column each node is in, and in which order the columns stand. Pure and deterministic:
// ids in their order decide wherever the graph leaves a choice.

export interface Link {
  from: string;
  to: string;
}

/** The links without cycles: those that lead back are turned. Loops of one node are left out. */
export function acyclic(ids: string[], links: Link[]): Link[] {
  const out = new Map(ids.map((id) => [id, [] as string[]]));
  const hasCaller = new Set<string>();
  for (const { from, to } of links) {
    if (from === to) continue;
    out.get(from)?.push(to);
    hasCaller.add(to);
  }
  for (const targets of out.values()) targets.sort();
  const roots = ids.filter((id) => !hasCaller.has(id));
  const state = new Map<string, "open" | "done">();
  const turned = new Set<string>();
  for (const root of [...roots, ...ids]) {
    if (state.has(root)) continue;
    state.set(root, "open");
    const stack = [{ id: root, next: 0 }];
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const target = out.get(top.id)?.[top.next];
      top.next += 1;
      if (target === undefined) {
        state.set(top.id, "done");
        stack.pop();
      } else if (state.get(target) === "open") {
        turned.add(`${top.id}\n${target}`);
      } else if (!state.has(target)) {
        state.set(target, "open");
        stack.push({ id: target, next: 0 });
      }
    }
  }
  const found = new Map<string, Link>();
  for (const { from, to } of links) {
    if (from === to) continue;
    const link = turned.has(`${from}\n${to}`) ? { from: to, to: from } : { from, to };
    found.set(`${link.from}\n${link.to}`, link);
  }
  return [...found.values()];
}

/** The longest way from a node without callers; who has no caller stands right before the first that it calls. */
export function columnsOf(ids: string[], links: Link[]): Map<string, number> {
  const out = new Map(ids.map((id) => [id, [] as string[]]));
  const waiting = new Map(ids.map((id) => [id, 0]));
  for (const { from, to } of links) {
    out.get(from)?.push(to);
    waiting.set(to, (waiting.get(to) ?? 0) + 1);
  }
  const roots = ids.filter((id) => waiting.get(id) === 0);
  const columns = new Map(ids.map((id) => [id, 0]));
  const ready = [...roots];
  for (let id = ready.shift(); id !== undefined; id = ready.shift())
    for (const to of out.get(id) ?? []) {
      columns.set(to, Math.max(columns.get(to) ?? 0, (columns.get(id) ?? 0) + 1));
      const left = (waiting.get(to) ?? 0) - 1;
      waiting.set(to, left);
      if (left === 0) ready.push(to);
    }
  for (const id of roots) {
    const called = (out.get(id) ?? []).map((to) => columns.get(to) ?? 0);
    if (called.length > 0) columns.set(id, Math.max(0, Math.min(...called) - 1));
  }
  return columns;
}

/** A node, or a place where a long link passes through a column. */
export interface Slot {
  key: string;
  column: number;
  /** Null for a link that passes through. */
  id: string | null;
  left: Slot[];
  right: Slot[];
}

export interface Layers {
  columns: Slot[][];
  /** The slots that each link passes through, without its ends, by "from\nto". */
  lanes: Map<string, Slot[]>;
}

export function layersOf(ids: string[], links: Link[], columns: Map<string, number>): Layers {
  const slots = new Map<string, Slot>();
  const layers: Slot[][] = [];
  const add = (key: string, column: number, id: string | null): Slot => {
    const slot: Slot = { key, column, id, left: [], right: [] };
    layers[column] = [...(layers[column] ?? []), slot];
    return slot;
  };
  for (const id of ids) slots.set(id, add(id, columns.get(id) ?? 0, id));
  const lanes = new Map<string, Slot[]>();
  for (const { from, to } of links) {
    const [start, end] = [slots.get(from), slots.get(to)];
    if (!start || !end) continue;
    const key = `${from}\n${to}`;
    const passed: Slot[] = [];
    let before = start;
    for (let column = start.column + 1; column < end.column; column += 1) {
      const slot = add(`${key}\n${column}`, column, null);
      connect(before, slot);
      passed.push(slot);
      before = slot;
    }
    connect(before, end);
    if (passed.length > 0) lanes.set(key, passed);
  }
  return { columns: Array.from(layers, (layer) => layer ?? []), lanes };
}

function connect(left: Slot, right: Slot): void {
  left.right.push(right);
  right.left.push(left);
}

const sweeps = 24;
/** Of a map that nobody reads as a whole anyway. */
const hugeSweeps = 6;
const hugeSlots = 1500;

/** Puts each column into an order with few crossings: by the barycentre of the neighbours, to and fro. */
export function orderColumns({ columns }: Layers): void {
  const place = new Map<Slot, number>();
  const number = (column: Slot[]) => {
    for (const [at, slot] of column.entries()) place.set(slot, at);
  };
  for (const column of columns) number(column.sort((a, b) => (a.key < b.key ? -1 : 1)));
  let best = columns.map((column) => [...column]);
  let fewest = crossings(columns, place);
  const slots = columns.reduce((sum, column) => sum + column.length, 0);
  const limit = slots > hugeSlots ? hugeSweeps : sweeps;
  for (let sweep = 0; sweep < limit && fewest > 0; sweep += 1) {
    const forward = sweep % 2 === 0;
    const order = forward ? columns : columns.toReversed();
    for (const column of order.slice(1)) {
      const centre = new Map(
        column.map((slot) => [
          slot,
          barycentre(forward ? slot.left : slot.right, place, place.get(slot) ?? 0),
        ]),
      );
      column.sort(
        (a, b) => (centre.get(a) ?? 0) - (centre.get(b) ?? 0) || (place.get(a) ?? 0) - (place.get(b) ?? 0),
      );
      number(column);
    }
    for (const column of columns) swapNeighbours(column, place);
    const count = crossings(columns, place);
    if (count < fewest) {
      fewest = count;
      best = columns.map((column) => [...column]);
    }
  }
  for (const [at, column] of best.entries()) columns[at] = column;
}

function barycentre(slots: Slot[], place: Map<Slot, number>, otherwise: number): number {
  if (slots.length === 0) return otherwise;
  return slots.reduce((sum, slot) => sum + (place.get(slot) ?? 0), 0) / slots.length;
}

/** Two that stand next to each other change places when that saves a crossing. */
function swapNeighbours(column: Slot[], place: Map<Slot, number>): void {
  for (let at = 0; at + 1 < column.length; at += 1) {
    const [upper, lower] = [column[at], column[at + 1]];
    if (!upper || !lower) continue;
    const cost = (above: Slot, below: Slot) =>
      crossed(above.left, below.left, place) + crossed(above.right, below.right, place);
    if (cost(lower, upper) >= cost(upper, lower)) continue;
    column[at] = lower;
    column[at + 1] = upper;
    place.set(lower, at);
    place.set(upper, at + 1);
  }
}

/** Crossings of the links to these neighbours, the first ones' owner above the second ones'. */
function crossed(above: Slot[], below: Slot[], place: Map<Slot, number>): number {
  let count = 0;
  for (const one of above)
    for (const other of below) if ((place.get(one) ?? 0) > (place.get(other) ?? 0)) count += 1;
  return count;
}

/** Of all columns: pairs of links whose ends are in another order than their beginnings. */
export function crossings(columns: Slot[][], place: Map<Slot, number>): number {
  let count = 0;
  for (const [at, column] of columns.entries()) {
    const size = columns[at + 1]?.length ?? 0;
    if (size === 0) continue;
    // How many of the links so far end at or above a place, as a Fenwick tree.
    const ends = new Int32Array(size + 1);
    let links = 0;
    for (const slot of column) {
      const targets = slot.right.map((target) => place.get(target) ?? 0);
      for (const target of targets) {
        let above = 0;
        for (let index = target + 1; index > 0; index -= index & -index) above += ends[index] ?? 0;
        count += links - above;
      }
      for (const target of targets) {
        links += 1;
        for (let index = target + 1; index <= size; index += index & -index)
          ends[index] = (ends[index] ?? 0) + 1;
      }
    }
  }
  return count;
}
