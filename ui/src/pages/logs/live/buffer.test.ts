import { expect, test } from "vitest";
import { append, backoffMs, emptyBuffer, type LiveBuffer, liveCap, release } from "./buffer";

const numbers = (from: number, count: number) => Array.from({ length: count }, (_, at) => from + at);
const filled = (count: number): LiveBuffer<number> => append(emptyBuffer<number>(), numbers(0, count), false);

test("followed rows keep the newest and let the oldest go", () => {
  const buffer = append(filled(liveCap), numbers(liveCap, 5), false);
  expect(buffer.rows.length).toBe(liveCap);
  expect(buffer.rows[0]).toBe(5);
  expect(buffer.rows.at(-1)).toBe(liveCap + 4);
  expect(buffer).toMatchObject({ below: 0, skipped: 0, arrived: liveCap + 5 });
});

test("held rows grow at the end and never move", () => {
  const buffer = append(append(filled(10), [10, 11], true), [12], true);
  expect(buffer.rows).toEqual(numbers(0, 13));
  expect(buffer.below).toBe(3);
  expect(release(buffer)).toMatchObject({ below: 0, rows: numbers(0, 13) });
});

test("held and full rows stay as they are; what is skipped is counted, and release shows the newest", () => {
  let buffer = append(filled(liveCap - 1), numbers(liveCap - 1, 3), true);
  expect(buffer.rows).toEqual(numbers(0, liveCap));
  expect(buffer.waiting).toEqual([liveCap, liveCap + 1]);
  buffer = append(buffer, numbers(liveCap + 2, liveCap), true);
  expect(buffer.rows).toEqual(numbers(0, liveCap));
  expect(buffer).toMatchObject({ below: liveCap + 3, skipped: 2 });
  const released = release(buffer);
  expect(released.rows).toEqual(numbers(liveCap + 2, liveCap));
  expect(released).toMatchObject({ waiting: [], below: 0, skipped: 0, arrived: 2 * liveCap + 2 });
});

test("what a hidden page could not keep is counted", () => {
  expect(append(filled(2), [9], false, 5)).toMatchObject({ rows: [0, 1, 9], arrived: 8, skipped: 0 });
  expect(append(filled(2), [9], true, 5)).toMatchObject({
    rows: [0, 1, 9],
    arrived: 8,
    below: 6,
    skipped: 5,
  });
});

test("whatever the batches, following shows the last rows in order", () => {
  let buffer = emptyBuffer<number>();
  let next = 0;
  for (const [count, held] of [
    [7, false],
    [1900, true],
    [300, true],
    [0, false],
    [3000, true],
    [1, false],
  ] as const) {
    buffer = append(buffer, numbers(next, count), held);
    next += count;
    expect(buffer.rows.length + buffer.waiting.length).toBeLessThanOrEqual(2 * liveCap);
  }
  expect(buffer.rows).toEqual(numbers(next - liveCap, liveCap));
});

test.each([
  [0, 0, 500],
  [1, 0, 1000],
  [3, 0.5, 3600],
  [6, 0, 30_000],
  [60, 1, 24_000],
])("attempt %d, chance %d: %d ms", (attempt, random, ms) => {
  expect(backoffMs(attempt, random)).toBe(ms);
});
