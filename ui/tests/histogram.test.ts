import { expect, test } from "vitest";
import type { LogsPage } from "../e2e/pages/LogsPage";
import { openLogs, server, withFixture } from "./harness";

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

test("changes and alerts of the time are on it: said, at the cursor, in the table; those of other services are not", async () => {
  const logs = await openLogs();
  await logs.open();
  await logs.rows.first().waitFor();
  const region = logs.page.getByRole("region", { name: "Records over time" });
  const label = async () => (await logs.histogram.getAttribute("aria-label")) ?? "";
  await expect.poll(label).toContain("Happened: 10:03:05 catalog: schema, DROP INDEX products_sku;");
  expect(await label()).toContain("10:07:20 ServiceErrors of checkout fires");
  expect(await label()).not.toContain("HostClockSkew");
  await region.getByText("1 change", { exact: true }).waitFor();
  await region.getByText("4 alerts", { exact: true }).waitFor();

  const cursor = logs.page.getByRole("slider", { name: /^Time cursor/ });
  await cursor.focus();
  await logs.page.keyboard.press("Home");
  for (let step = 0; step < 91; step += 1) await logs.page.keyboard.press("ArrowRight");
  expect(await cursor.getAttribute("aria-valuetext")).toMatch(
    /^10:03:00, .*; 10:03:05 catalog: schema, DROP/,
  );
  await region.getByText("10:03:05 catalog: schema, DROP INDEX products_sku").waitFor();
  await logs.page.keyboard.press("Escape");

  await logs.page.keyboard.press("Shift+T");
  const row = region.getByRole("row").filter({ hasText: "DROP INDEX" });
  expect(await row.innerText()).toMatch(/^10:03:00/);
  await logs.page.keyboard.press("Shift+T");

  await logs.search("service:checkout");
  await expect.poll(label).not.toContain("DROP INDEX");
  expect(await label()).toContain("ServiceErrors of checkout fires");
});

test("when they do not come the bars are there, and it is said", async () => {
  server.failing.add("/changes");
  const logs = await openLogs();
  await logs.open();
  await logs.page.getByText("changes or alerts did not come").waitFor();
  await logs.histogram.waitFor();
});
