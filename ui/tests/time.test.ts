import { expect, test } from "vitest";
import type { LogsPage } from "../e2e/pages/LogsPage";
import { openLogs, server, withFixture, withQuery } from "./harness";

withFixture();

function range(logs: LogsPage): [string | null, string | null] {
  const { searchParams } = new URL(logs.page.url());
  return [searchParams.get("from"), searchParams.get("to")];
}

test("a drag over the histogram zooms to whole bars, a double click goes back", async () => {
  const logs = await openLogs();
  await logs.open();
  await logs.rows.first().waitFor();
  await logs.dragHistogram(0.5, 0.6);
  await expect.poll(() => range(logs)[0]).toMatch(/^2026-11-25T09:4\d:[03]0\.000Z$/);
  await expect.poll(() => logs.matched()).toBeLessThan(2000);
  expect(await logs.rangeButton.innerText()).toContain("Fixed");
  await logs.histogram.dblclick();
  await expect.poll(() => range(logs)).toEqual([null, null]);
  await logs.page.goBack();
  await expect.poll(() => range(logs)[0]).toMatch(/^2026-11-25T09:4/);
});

test("t opens the panel, free text applies, the range is remembered", async () => {
  const logs = await openLogs();
  await logs.open();
  await logs.page.keyboard.press("t");
  await logs.page.getByLabel("Type a range").fill("yesterday 14:00");
  await logs.page.getByText("2026-11-24 14:00:00 – 15:00:00 UTC").waitFor();
  await logs.page.keyboard.press("Enter");
  await expect.poll(() => range(logs)).toEqual(["2026-11-24T14:00:00.000Z", "2026-11-24T15:00:00.000Z"]);
  await logs.page.keyboard.press("t");
  const recent = logs.page.getByRole("region", { name: "Recent" });
  await recent.getByRole("button", { name: "2026-11-24 14:00:00 – 15:00:00 UTC" }).waitFor();
  await logs.page.getByLabel("Type a range").fill("next tuesday");
  await logs.page.getByText(/^Not a time/).waitFor();
});

test("what is typed right behind t is in the panel's field, and closing gives the focus back", async () => {
  const logs = await openLogs();
  await logs.open();
  await logs.rows.first().waitFor();
  await logs.grid.focus();
  // The focus must have moved before the browser can deliver another key.
  const focused = await logs.page.evaluate(`(() => {
    const key = new KeyboardEvent("keydown", { key: "t", bubbles: true, cancelable: true });
    document.activeElement.dispatchEvent(key);
    return document.activeElement.labels?.[0]?.textContent ?? document.activeElement.outerHTML;
  })()`);
  expect(focused).toBe("Type a range");
  await logs.page.keyboard.type("3h");
  await logs.page.keyboard.press("Enter");
  await expect.poll(() => range(logs)).toEqual(["now-3h", "now"]);
  await expect.poll(() => logs.page.evaluate("document.activeElement.getAttribute('role')")).toBe("treegrid");
});

test("t - zooms out, arrows shift by half, r asks again", async () => {
  const logs = await openLogs();
  await logs.open();
  await logs.rows.first().waitFor();
  await logs.page.keyboard.press("t");
  await logs.page.keyboard.press("-");
  await expect.poll(() => range(logs)[0]).toBe("now-2h");
  await logs.page.keyboard.press("ArrowLeft");
  await expect.poll(() => range(logs)).toEqual(["2026-11-25T07:17:40.000Z", "2026-11-25T09:17:40.000Z"]);
  await logs.page.keyboard.press("ArrowRight");
  await expect.poll(() => range(logs)).toEqual(["2026-11-25T08:17:40.000Z", "2026-11-25T10:17:40.000Z"]);
  await logs.page.waitForTimeout(300);
  const before = server.requests.filter((request) => request.startsWith("/logs/search")).length;
  await logs.page.keyboard.press("r");
  await expect
    .poll(() => server.requests.filter((request) => request.startsWith("/logs/search")).length)
    .toBe(before + 1);
});

test("absolute ends are typed; a wrong one is named", async () => {
  const logs = await openLogs();
  await logs.open();
  await logs.rangeButton.click();
  await logs.page.getByLabel("From", { exact: true }).fill("2026-11-25 10:00");
  await logs.page.getByLabel("To", { exact: true }).fill("noonish");
  await logs.page.getByRole("button", { name: "Apply" }).click();
  await logs.page.getByText("To is not a time").waitFor();
  await logs.page.getByLabel("To", { exact: true }).fill("2026-11-25 10:10");
  await logs.page.getByRole("button", { name: "Apply" }).click();
  await expect.poll(() => range(logs)).toEqual(["2026-11-25T10:00:00.000Z", "2026-11-25T10:10:00.000Z"]);
  await logs.page.getByText(/10:00:00 – 10:10:00 UTC/).waitFor();
});

test("the local zone changes every time on the page and is part of the address", async () => {
  const logs = await openLogs();
  await logs.open();
  await logs.rangeButton.click();
  await logs.page.getByRole("button", { name: "Local, UTC+01:00" }).click();
  await expect.poll(() => logs.page.url()).toContain("zone=local");
  expect(await logs.rangeButton.innerText()).toContain("10:17:40 – 11:17:40 UTC+01:00");
  await expect.poll(() => logs.rows.first().innerText()).toContain("11:17:39");
});

test("automatic refresh asks again, and rests while a record is open", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("deadline", { refresh: "1s" }));
  const searches = () => server.requests.filter((request) => request.startsWith("/logs/search")).length;
  await expect.poll(searches, { timeout: 5000 }).toBeGreaterThan(2);
  await logs.rows.first().click();
  await logs.page.getByText("paused").waitFor();
  const paused = searches();
  await logs.page.waitForTimeout(2200);
  expect(searches()).toBe(paused);
});

test("a malformed address falls back to the plain view", async () => {
  const logs = await openLogs();
  await logs.open("?from=whenever&to=now&order=sideways&zone=mars");
  await logs.rows.first().waitFor();
  expect(await logs.rangeButton.innerText()).toMatch(/Last 1\sh\s+09:17:40 – 10:17:40 UTC/);
});
