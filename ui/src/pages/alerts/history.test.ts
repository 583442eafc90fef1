import { expect, test } from "vitest";
import type { Alert } from "../../api/alerts";
import {
  bandsOf,
  type Cell,
  cellsByTimes,
  cellsOf,
  keyOf,
  mergedCells,
  stripGrid,
  stripQuery,
  stripSentence,
} from "./history";

const nowMs = Date.parse("2026-11-25T10:17:40Z");
const grid = stripGrid(nowMs);

test("a day in half hours, the last one holds now", () => {
  expect((grid.endS - grid.startS) / grid.stepS + 1).toBe(48);
  expect(new Date(grid.endS * 1000).toISOString()).toBe("2026-11-25T10:30:00.000Z");
});

test("one question for all rules, their names escaped; of too many the filter is left out", () => {
  expect(stripQuery(["A", "B.c"])).toBe('count_over_time(ALERTS{alertname=~"A|B\\\\.c"}[1800s])');
  expect(stripQuery(["A", "B"], 1)).toBe("count_over_time(ALERTS[1800s])");
  expect(stripQuery([])).toBeNull();
});

test("firing hides pending in the same half hour; other series do not mix", () => {
  const labels = { alertname: "Down", host: "db-1" };
  const series = (state: string, host: string, times: number[]) => ({
    labels: { ...labels, host, alertstate: state },
    times,
    values: times.map(() => 1),
    histograms: false,
  });
  const cells = cellsOf(
    [
      series("firing", "db-1", [grid.endS]),
      series("pending", "db-1", [grid.endS, grid.endS - 1800]),
      series("pending", "db-2", [grid.startS]),
      series("odd", "db-3", [grid.startS]),
    ],
    grid,
  );
  expect(cells.get(keyOf(labels))?.slice(-3)).toEqual([null, "pending", "firing"]);
  expect(cells.get(keyOf({ host: "db-2", alertname: "Down" }))?.[0]).toBe("pending");
  expect(cells.size).toBe(2);
});

function alert(change: Partial<Alert>): Alert {
  return { state: "firing", starts_at: "2026-11-25T09:45:00Z", ends_at: null, ...change } as Alert;
}

test("without series its own times are drawn", () => {
  expect(cellsByTimes(alert({}), grid).slice(-3)).toEqual([null, "firing", "firing"]);
  expect(cellsByTimes(alert({ state: "pending" }), grid).slice(-3)).toEqual([null, "pending", "pending"]);
  const ended = alert({ state: "resolved", ends_at: "2026-11-25T09:50:00Z" });
  expect(cellsByTimes(ended, grid).slice(-3)).toEqual([null, "firing", null]);
  const before = alert({ starts_at: "2026-11-20T00:00:00Z" });
  expect(cellsByTimes(before, grid).every((cell) => cell === "firing")).toBe(true);
});

test("both together", () => {
  const one: Cell[] = ["firing", "pending", null];
  expect(mergedCells(one, [null, null, "pending"])).toEqual(["firing", "pending", "pending"]);
  expect(mergedCells(undefined, ["firing"])).toEqual(["firing"]);
  expect(mergedCells(["firing"], ["pending"])).toEqual(["firing"]);
});

test("said as a sentence", () => {
  expect(stripSentence([null, null])).toBe("Quiet in the last 24 hours");
  expect(stripSentence(["firing", "firing", "firing", "pending"])).toBe(
    "Of the last 24 hours firing in 1.5 h, pending in 0.5 h",
  );
});

test("bands: what is open reaches up to now, the last firing one has its word", () => {
  const bands = bandsOf(
    [
      { state: "firing", from: "2026-11-25T09:00:00Z", to: "2026-11-25T09:10:00Z" },
      { state: "pending", from: "2026-11-25T10:00:00Z", to: "2026-11-25T10:01:00Z" },
      { state: "firing", from: "2026-11-25T10:01:00.5Z", to: null },
    ],
    "crit",
    nowMs,
  );
  expect(bands.map(({ band, important }) => [band, important])).toEqual([
    ["crit", false],
    ["pending", false],
    ["crit", true],
  ]);
  expect(bands[2]?.endTime).toBe(nowMs / 1000);
});
