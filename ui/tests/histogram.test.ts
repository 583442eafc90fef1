import { expect, test } from "vitest";
import type { LogsPage } from "../e2e/pages/LogsPage";
import { openLogs, withFixture } from "./harness";

withFixture();

function range(logs: LogsPage): (string | null)[] {
  const { searchParams } = new URL(logs.page.url());
  return [searchParams.get("from"), searchParams.get("to")];
}

test("by keyboard: arrows move the cursor, Shift selects, Enter zooms, Backspace goes back", async () => {
  const logs = await openLogs();
  await logs.open();
  await logs.rows.first().waitFor();
  const cursor = logs.page.getByRole("slider", { name: /^Time cursor/ });
  await cursor.focus();
  const { keyboard } = logs.page;
  await keyboard.press("Home");
  expect(await cursor.getAttribute("aria-valuetext")).toMatch(/^09:17:30, \d+ records: /);
  await keyboard.press("ArrowRight");
  await keyboard.press("Shift+ArrowRight");
  await keyboard.press("Shift+ArrowRight");
  expect(await cursor.getAttribute("aria-valuetext")).toMatch(/^09:19:00, /);
  // The arrow keys are the cursor's: the range has not moved.
  expect(range(logs)).toEqual([null, null]);
  await keyboard.press("Enter");
  await expect.poll(() => range(logs)).toEqual(["2026-11-25T09:18:00.000Z", "2026-11-25T09:19:30.000Z"]);
  await keyboard.press("Backspace");
  await expect.poll(() => range(logs)).toEqual([null, null]);
  await keyboard.press("Escape");
  await keyboard.press("ArrowLeft");
  await expect.poll(() => range(logs)[0]).toBe("2026-11-25T08:47:40.000Z");
});

test("the pointer's cursor says the time and the count of each severity", async () => {
  const logs = await openLogs();
  await logs.open();
  await logs.rows.first().waitFor();
  await logs.histogram.hover({ position: { x: 1000, y: 40 } });
  const region = logs.page.getByRole("region", { name: "Records over time" });
  await expect.poll(() => region.innerText()).toMatch(/10:\d\d:[03]0\nerror\n\d+\nwarn\n\d+\ninfo\n\d+/);
});

test("after a zoom the way back is on the page", async () => {
  const logs = await openLogs();
  await logs.open();
  await logs.rows.first().waitFor();
  const back = logs.page.getByRole("button", { name: "Zoom back" });
  expect(await back.count()).toBe(0);
  await logs.dragHistogram(0.4, 0.5);
  await back.click();
  await expect.poll(() => range(logs)).toEqual([null, null]);
  await expect.poll(() => back.count()).toBe(0);
});
