import { describe, expect, test } from "vitest";
import { type LinesState, linesOf, revealed, staysOf, threadOf } from "./lines";
import { queriesOf, traceOf, type Written } from "./sample";
import { foldsOf, treeOf } from "./tree";
import type { TraceView } from "./view";

const open: LinesState = { collapsed: new Set(), unfolded: new Set(), keep: null };

function shown(view: TraceView, change: Partial<LinesState> = {}) {
  const tree = treeOf(view);
  const state = { ...open, ...change };
  const folds = foldsOf(view, tree, state.keep);
  return { tree, folds, lines: linesOf(view, tree, folds, state) };
}

const rows = (view: TraceView, change: Partial<LinesState> = {}) => {
  const { lines } = shown(view, change);
  return [...lines.row].map((row, line) => (lines.isFold[line] === 1 ? `fold ${row}` : String(row)));
};

test("a fold stands for its calls until it is opened, and then before them", () => {
  const view = queriesOf(8);
  expect(rows(view)).toEqual(["0", "1", "2", "3", "4", "fold 5", "9"]);
  expect(rows(view, { unfolded: new Set([5]) })).toEqual([
    "0",
    "1",
    "2",
    "3",
    "4",
    "fold 5",
    "5",
    "6",
    "7",
    "8",
    "9",
  ]);
  expect(rows(view, { collapsed: new Set([0]) })).toEqual(["0"]);
});

test("each row is found on its line, or on the one that hides it", () => {
  const view = queriesOf(8);
  expect([...shown(view).lines.lineOf]).toEqual([0, 1, 2, 3, 4, 5, 5, 5, 5, 6]);
  expect([...shown(view, { unfolded: new Set([5]) }).lines.lineOf]).toEqual([0, 1, 2, 3, 4, 6, 7, 8, 9, 10]);
  expect([...shown(view, { collapsed: new Set([0]) }).lines.lineOf]).toEqual(new Array(10).fill(0));
});

test("path only: what is on it and its callers", () => {
  const written: Written[] = [
    [0, "a root", 0, 10],
    [1, "b off", 0, 3],
    [2, "b inner", 1, 2],
    [1, "c on", 3, 9],
    [2, "c deep", 4, 8],
  ];
  const view = traceOf(written, [[4, 0, 10]]);
  const keep = treeOf(view).holdsPath;
  expect(rows(view, { keep })).toEqual(["0", "3", "4"]);
  expect([...shown(view, { keep }).lines.lineOf]).toEqual([0, -1, -1, 1, 2]);
});

test("a row is revealed through closed callers and folds", () => {
  const calls: Written[] = Array.from({ length: 9 }, (_, at): Written[] => [
    [2, "db SELECT", at, at + 1],
    [3, "db scan", at, at + 1],
  ]).flat();
  const view = traceOf([[0, "a root", 0, 9], [1, "b work", 0, 9], ...calls]);
  const { folds } = shown(view);
  const target = 17;
  const state = { ...open, collapsed: new Set([0, 1, 16]) };
  expect(shown(view, state).lines.lineOf[target]).toBe(0);
  const next = revealed(view, folds, state, target);
  const { lines } = shown(view, next);
  expect(lines.row[lines.lineOf[target] ?? -1]).toBe(target);
});

describe("the thread", () => {
  test("follows the sections; on one line two that touch are one stay", () => {
    const view = queriesOf(2);
    const { lines } = shown(view);
    const thread = threadOf(view, lines);
    expect([...thread.line.subarray(0, thread.count)]).toEqual([0, 1, 0, 2, 0, 3, 0]);
    const closed = threadOf(view, shown(view, { collapsed: new Set([0]) }).lines);
    expect(closed.count).toBe(1);
    expect([closed.fromNs[0], closed.toNs[0]]).toEqual([0, 50]);
  });

  test("knows the stays of each line", () => {
    const view = queriesOf(2);
    const { lines } = shown(view);
    const { first, order, line, count } = threadOf(view, lines);
    expect([...first]).toEqual([0, 4, 5, 6, 7]);
    for (let on = 0; on < lines.count; on += 1)
      for (let at = first[on] ?? 0; at < (first[on + 1] ?? 0); at += 1)
        expect(line[order[at] ?? -1]).toBe(on);
    expect(new Set(order).size).toBe(count);
  });

  test("what is too short to be followed is passed over, without a gap or a slant", () => {
    const view = queriesOf(4);
    const thread = threadOf(view, shown(view).lines);
    const stays = staysOf(thread, 0, view.durationNs, 2);
    expect(stays.map(({ line }) => line)).toEqual([0, 1, 2, 3, 4, 5, 0]);
    for (const [at, stay] of stays.entries()) if (at > 0) expect(stay.fromNs).toBe(stays[at - 1]?.toNs);
    expect(stays.at(-1)?.toNs).toBe(view.durationNs);
  });

  test("of many short ones the longest stands for as much as can be seen", () => {
    const view = queriesOf(400);
    const stays = staysOf(threadOf(view, shown(view).lines), 0, view.durationNs, 100);
    expect(stays.length).toBeGreaterThan(0);
    expect(stays.length).toBeLessThan(view.durationNs / 100 + 2);
  });

  test("of a window only what is in it", () => {
    const view = queriesOf(4);
    const stays = staysOf(threadOf(view, shown(view).lines), 16, 24, 0);
    expect(stays.map(({ fromNs, toNs }) => [fromNs, toNs])).toEqual([
      [15, 24],
      [24, 25],
    ]);
  });
});

test("100,000 spans are laid out in a moment", () => {
  const written: Written[] = [[0, "a root", 0, 1e6]];
  for (let at = 0; written.length < 100_000; at += 1) {
    written.push([1, `s${at % 9} handle`, at * 10, at * 10 + 9]);
    for (let call = 0; call < 4; call += 1) written.push([2, "db q", at * 10 + call, at * 10 + call + 1]);
  }
  const view = traceOf(written.slice(0, 1000));
  // Written out by hand: the builder is for small ones.
  const large: TraceView = {
    ...view,
    spans: {
      ...view.spans,
      count: 100_000,
      depth: Int32Array.from({ length: 100_000 }, (_, row) =>
        row === 0 ? 0 : 1 + ((row - 1) % 5 === 0 ? 0 : 1),
      ),
      parent: Int32Array.from({ length: 100_000 }, (_, row) =>
        row === 0 ? -1 : (row - 1) % 5 === 0 ? 0 : row - ((row - 1) % 5),
      ),
      status: new Uint8Array(100_000),
      service: new Int32Array(100_000),
      name: Int32Array.from({ length: 100_000 }, (_, row) => row % 3),
      startNs: new Float64Array(100_000),
      durationNs: new Float64Array(100_000),
    },
    path: Array.from({ length: 100_000 }, (_, row) => ({ row, fromNs: row, toNs: row + 1 })),
  };
  const startMs = performance.now();
  const { lines } = shown(large);
  const thread = threadOf(large, lines);
  expect(performance.now() - startMs).toBeLessThan(1000);
  expect(lines.count).toBe(100_000);
  expect(thread.count).toBe(100_000);
});
