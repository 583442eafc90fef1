// The chart tab of the logs page.
import { expect, test } from "vitest";
import type { LogsPage } from "../e2e/pages/LogsPage";
import { openLogs, server, withFixture, withQuery } from "./harness";

withFixture();

const panel = (logs: LogsPage) => logs.page.getByRole("region", { name: "Chart", exact: true });
const picture = (logs: LogsPage, name: RegExp) => panel(logs).getByRole("img", { name });

function asked(): string[] {
  return server.requests
    .filter((request) => request.startsWith("/logs/search"))
    .map((request) => new URLSearchParams(request.split("?")[1]).get("query") ?? "");
}

test("counts over time by severity, by another field, all in one; bars or lines; all of it in the address", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("sku"));
  await logs.rows.first().waitFor();
  await logs.page.getByRole("tab", { name: "Chart" }).click();
  await picture(logs, /^Records over time by severity\./).waitFor();
  expect(asked()).toContain("sku | stats count() by (bin(30s), severity)");
  await logs.page.keyboard.press("Shift+T");
  await panel(logs)
    .getByRole("table", { name: /^Records over time by severity/ })
    .waitFor();
  await logs.page.keyboard.press("Shift+T");
  await picture(logs, /^Records over time by severity\./).waitFor();
  const legend = await panel(logs).innerText();
  // As many as the facet says, and not as many as in the newest step.
  const errors = await logs.page
    .getByRole("checkbox", { name: /^error/ })
    .first()
    .innerText();
  const count = errors.match(/[\d,]+$/)?.[0] ?? "none";
  expect(legend).toMatch(new RegExp(`error\\s+${count}\\b`));
  for (const severity of ["info", "warn", "error"]) expect(legend).toContain(severity);

  await logs.page.getByRole("button", { name: "by severity" }).click();
  await logs.page.getByRole("textbox", { name: "Group by a field" }).fill("service");
  await logs.page
    .getByRole("dialog")
    .getByRole("checkbox", { name: /^service/ })
    .click();
  await picture(logs, /^Records over time by service\./).waitFor();
  expect(await panel(logs).innerText()).toMatch(/catalog[\s\S]*checkout|checkout[\s\S]*catalog/);
  await logs.page.getByRole("group", { name: "Drawn as" }).getByRole("button", { name: "Lines" }).click();
  await expect.poll(() => logs.page.url()).toContain("look=lines");
  const { searchParams } = new URL(logs.page.url());
  expect([searchParams.get("tab"), searchParams.get("by")]).toEqual(["chart", "service"]);
  await logs.page.reload();
  await picture(logs, /^Records over time by service\./).waitFor();

  await logs.page.getByRole("button", { name: "by service" }).click();
  await logs.page
    .getByRole("dialog")
    .getByRole("checkbox", { name: /^service/ })
    .click();
  await picture(logs, /^Records over time\./).waitFor();
  expect(asked().at(-1)).toBe("sku | stats count() by bin(30s)");
});

test("a query with a table over time is drawn as it says; one without a time is counted", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("* | stats count() by (service, bin(1m))", { tab: "chart" }));
  await picture(logs, /^The query over time\./).waitFor();
  await logs.page.getByText("as the query’s stages say").waitFor();
  expect(asked()).toEqual(["* | stats count() by (service, bin(1m))"]);
  expect(await panel(logs).innerText()).toContain("catalog");

  await logs.search("sku | top 10 service");
  await picture(logs, /^Records over time by severity\./).waitFor();
});

test("nothing to draw and a failure say so; the arrow keys lead to the tab and on", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("nothingofthekind", { tab: "chart" }));
  await logs.page.getByRole("heading", { name: "Nothing to draw" }).waitFor();
  await logs.search("state:error");
  await expect
    .poll(() => logs.page.getByRole("alert").first().textContent())
    .toContain("took longer than 30 s");
  await logs.page.getByRole("tab", { name: "Chart" }).focus();
  await logs.page.keyboard.press("ArrowRight");
  await expect
    .poll(() => logs.page.getByRole("tab", { name: /^Records/ }).getAttribute("aria-selected"))
    .toBe("true");
});
