import { expect, test } from "vitest";
import type { LogsPage } from "../e2e/pages/LogsPage";
import { openLogs, server, withFixture, withQuery } from "./harness";

withFixture();

const list = (logs: LogsPage) => logs.page.getByRole("listbox", { name: "Suggestions" });
const options = (logs: LogsPage) => list(logs).getByRole("option");
const chosen = (logs: LogsPage) => list(logs).getByRole("option", { selected: true });

async function type(logs: LogsPage, text: string): Promise<void> {
  await logs.query.focus();
  await logs.page.keyboard.type(text);
}

test("a field, then its values, by Tab and the arrows; Enter then runs the query", async () => {
  const logs = await openLogs();
  await logs.open();
  await type(logs, "serv");
  await expect.poll(() => options(logs).first().innerText()).toMatch(/^service\s+string, in 100\s%/);
  await logs.page.keyboard.press("Tab");
  expect(await logs.query.inputValue()).toBe("service:");
  await expect
    .poll(() => options(logs).allInnerTexts())
    .toEqual([
      expect.stringMatching(/^c\w+\s+\d/),
      expect.stringMatching(/^c\w+\s+\d/),
      expect.stringMatching(/^c\w+\s+\d/),
    ]);
  await type(logs, "cat");
  await expect.poll(() => options(logs).count()).toBe(1);
  await logs.page.keyboard.press("ArrowDown");
  expect(await chosen(logs).innerText()).toMatch(/^catalog/);
  expect(await logs.query.getAttribute("aria-activedescendant")).toBe(await chosen(logs).getAttribute("id"));
  await logs.page.keyboard.press("Enter");
  expect(await logs.query.inputValue()).toBe("service:catalog ");
  expect(new URL(logs.page.url()).searchParams.get("query")).toBe(null);
  await expect.poll(() => list(logs).count()).toBe(0);
  await logs.page.keyboard.press("Enter");
  await expect.poll(() => new URL(logs.page.url()).searchParams.get("query")).toBe("service:catalog");
  // As if typed: undo takes the completion back.
  await logs.page.keyboard.press("Control+z");
  await expect.poll(() => logs.query.inputValue()).not.toContain("catalog ");
});

test("Enter runs what is typed while suggestions are open and none is chosen", async () => {
  const logs = await openLogs();
  await logs.open();
  await type(logs, "deadline http");
  await options(logs).first().waitFor();
  await logs.page.keyboard.press("Enter");
  await expect.poll(() => new URL(logs.page.url()).searchParams.get("query")).toBe("deadline http");
  expect(await list(logs).count()).toBe(0);
});

test("Esc closes the list and leaves the text; a second one leaves the field", async () => {
  const logs = await openLogs();
  await logs.open();
  await type(logs, "http");
  await options(logs).first().waitFor();
  await logs.page.keyboard.press("Escape");
  expect(await list(logs).count()).toBe(0);
  expect(await logs.query.evaluate((element) => element === document.activeElement)).toBe(true);
  await logs.page.keyboard.press("Escape");
  expect(await logs.query.evaluate((element) => element === document.activeElement)).toBe(false);
  expect(await logs.query.inputValue()).toBe("http");
});

test("stages, functions and their fields by the place in the text; a click takes one", async () => {
  const logs = await openLogs();
  await logs.open();
  await type(logs, "* | st");
  await expect.poll(() => options(logs).allInnerTexts()).toEqual([expect.stringContaining("stats")]);
  await options(logs).first().click();
  expect(await logs.query.inputValue()).toBe("* | stats ");
  await type(logs, "p9");
  await logs.page.keyboard.press("Tab");
  await type(logs, "dur");
  await expect.poll(() => options(logs).first().innerText()).toContain("duration_ms");
  await logs.page.keyboard.press("Tab");
  expect(await logs.query.inputValue()).toBe("* | stats p95(duration_ms");
  await type(logs, ") b");
  await logs.page.keyboard.press("Tab");
  await expect.poll(() => options(logs).first().innerText()).toMatch(/^\w/);
  expect(await logs.query.inputValue()).toBe("* | stats p95(duration_ms) by ");
});

test("it opens by Ctrl Space and the arrow too, and Tab in an empty field only moves on", async () => {
  const logs = await openLogs();
  await logs.open();
  await logs.query.focus();
  expect(await list(logs).count()).toBe(0);
  await logs.page.keyboard.press("Control+Space");
  await options(logs).first().waitFor();
  await logs.page.keyboard.press("Tab");
  expect(await logs.query.inputValue()).toBe("");
  expect(await logs.query.evaluate((element) => element === document.activeElement)).toBe(false);
  await logs.query.focus();
  await logs.page.keyboard.press("ArrowDown");
  await options(logs).first().waitFor();
});

test("asks once for a quick typist, and within the rest of the query", async () => {
  const logs = await openLogs();
  await logs.open();
  await logs.rows.first().waitFor();
  server.requests = [];
  await type(logs, "deadline service:ch");
  await expect.poll(() => options(logs).count()).toBe(1);
  const asked = server.requests.filter((request) => request.startsWith("/logs/values"));
  const last = new URLSearchParams(asked.at(-1)?.split("?")[1]);
  expect([last.get("field"), last.get("prefix"), last.get("query")]).toEqual(["service", "ch", "deadline"]);
  expect(asked.length).toBeLessThan(4);
});

test("without suggestions from the collector the query works as ever", async () => {
  server.failing.add("/logs/fields").add("/logs/values");
  const logs = await openLogs();
  await logs.open(withQuery("*"));
  await logs.query.fill("");
  await type(logs, "service:catalog");
  await logs.page.keyboard.press("Enter");
  await expect.poll(() => logs.query.inputValue()).toBe("service:catalog");
  await logs.rows.first().waitFor();
  expect(await list(logs).count()).toBe(0);
});
