// The rows of a live tail: the newest at the end, a fixed number kept. While a person reads, no row moves.

export const liveCap = 2000;

export interface LiveBuffer<T> {
  rows: T[];
  /** Arrived while `rows` was full and held; at most `liveCap` as well. */
  waiting: T[];
  /** How many arrived since the rows are held. */
  below: number;
  /** How many of them are gone, because more arrived than are kept. */
  skipped: number;
  arrived: number;
}

export function emptyBuffer<T>(): LiveBuffer<T> {
  return { rows: [], waiting: [], below: 0, skipped: 0, arrived: 0 };
}

/** Adds what arrived, of which the first `lost` are gone already. Held rows grow at their end until the cap is reached, and lose nothing at their front. */
export function append<T>(buffer: LiveBuffer<T>, arrived: T[], held: boolean, lost = 0): LiveBuffer<T> {
  if (arrived.length === 0) return buffer;
  const total = buffer.arrived + lost + arrived.length;
  if (!held) {
    const rows = [...buffer.rows, ...buffer.waiting, ...arrived].slice(-liveCap);
    return { rows, waiting: [], below: 0, skipped: 0, arrived: total };
  }
  const room = liveCap - buffer.rows.length;
  const grows = buffer.waiting.length === 0 && room > 0;
  const rows = grows ? [...buffer.rows, ...arrived.slice(0, room)] : buffer.rows;
  const all = [...buffer.waiting, ...(grows ? arrived.slice(room) : arrived)];
  return {
    rows,
    waiting: all.slice(-liveCap),
    below: buffer.below + lost + arrived.length,
    skipped: buffer.skipped + lost + Math.max(0, all.length - liveCap),
    arrived: total,
  };
}

/** Back to the newest rows. */
export function release<T>(buffer: LiveBuffer<T>): LiveBuffer<T> {
  if (buffer.below === 0 && buffer.waiting.length === 0) return buffer;
  const rows = [...buffer.rows, ...buffer.waiting].slice(-liveCap);
  return { ...buffer, rows, waiting: [], below: 0, skipped: 0 };
}

/** How long to wait before the next attempt to connect: 0.5 s doubled up to 30 s, and up to a fifth of it at random. */
export function backoffMs(attempt: number, random: number): number {
  return Math.min(30_000, 500 * 2 ** Math.min(attempt, 10)) * (1 - 0.2 * random);
}
