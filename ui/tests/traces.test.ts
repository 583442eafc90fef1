// The search for traces by hand: query, facets, scatter, order, keyboard, what it says when something is missing.
import { expect, test } from "vitest";
import { TracePage } from "../e2e/pages/TracePage";
import { TracesPage } from "../e2e/pages/TracesPage";
import { checkoutId } from "./fixture/traces";
import { openLogs, server, withFixture, withQuery } from "./harness";

withFixture();

async function open(search = ""): Promise<TracesPage> {
  const traces = new TracesPage((await openLogs()).page);
  await traces.open(search);
  return traces;
}

test("a search shows counts, rows with their services, and what matched of each", async () => {
  const traces = await open();
  await expect.poll(() => traces.matched()).toBe(242);
  await traces.search("service:postgres duration>50ms");
  await expect.poll(() => traces.matched()).toBe(56);
  expect(traces.params().get("query")).toBe("service:postgres duration>50ms");
  await expect
    .poll(() => traces.rows.first().innerText())
    .toMatch(/edge POST \/checkout[\s\S]*\d+ matches: SELECT products \d+\sms[\s\S]*postgres/);
  expect(await traces.page.getByText(/searched 218\sk spans in 21\sms/).isVisible()).toBe(true);
  expect(await traces.scatter.getAttribute("aria-label")).toMatch(
    /56 traces from \d+\sms to 1\.37\ss, the slowest at 10:05:53; 8 failed/,
  );
});

test("newest, slowest, oldest; the address holds it", async () => {
  const traces = await open();
  await expect.poll(() => traces.rows.first().innerText()).toContain("10:17:17");
  await traces.order("Slowest").click();
  await expect.poll(() => traces.rows.first().innerText()).toContain("1.37\u00a0s");
  expect(traces.params().get("order")).toBe("slowest");
  await traces.order("Oldest").click();
  await expect.poll(() => traces.rows.first().innerText()).toMatch(/^09:17:/);
  await traces.page.goBack();
  await expect.poll(() => traces.rows.first().innerText()).toContain("1.37\u00a0s");
});

test("facets narrow by a value and exclude one; they are chosen apart from those of the logs", async () => {
  const traces = await open();
  const service = traces.page.getByRole("region", { name: "Facet service" });
  await service.getByRole("checkbox", { name: /^fulfil/ }).click();
  await expect.poll(() => traces.query.inputValue()).toBe("service:fulfil");
  await traces.page
    .getByRole("region", { name: "Facet name" })
    .getByRole("checkbox", { name: /^send mail, 1 span/ })
    .click();
  await expect.poll(() => traces.matched()).toBe(1);
  await traces.page.getByRole("region", { name: "Facet kind" }).hover();
  await traces.page.getByRole("button", { name: "Remove the facet kind" }).click();
  await expect.poll(() => traces.page.getByRole("region", { name: "Facet kind" }).count()).toBe(0);
  await traces.page.goto("/logs");
  await traces.page.getByRole("region", { name: "Facet severity" }).waitFor();
});

test("the query completes fields, counted values and fixed ones", async () => {
  const traces = await open();
  const options = traces.page.getByRole("listbox", { name: "Suggestions" }).getByRole("option");
  await traces.query.pressSequentially("ser");
  await options
    .filter({ hasText: /^service/ })
    .first()
    .click();
  await traces.page.keyboard.type("cat");
  await expect.poll(() => options.allInnerTexts()).toEqual([expect.stringMatching(/^catalog/)]);
  await traces.page.keyboard.press("Tab");
  await traces.page.keyboard.type("status:e");
  await expect.poll(() => options.allInnerTexts()).toEqual(["error", "unset"]);
  await traces.page.keyboard.press("Tab");
  expect(await traces.query.inputValue()).toBe("service:catalog status:error ");
});

test("j, k and Enter open a trace, and back comes to the same list", async () => {
  const traces = await open("?order=slowest");
  await traces.rows.first().waitFor();
  await traces.page.keyboard.press("j");
  await traces.page.keyboard.press("j");
  await traces.page.keyboard.press("k");
  await traces.page.keyboard.press("Enter");
  const trace = new TracePage(traces.page);
  await trace.grid.waitFor();
  await traces.page.getByRole("heading", { name: "edge POST /checkout" }).waitFor();
  await traces.page.goBack();
  await expect.poll(() => traces.params().get("order")).toBe("slowest");
  await traces.rows.first().waitFor();
});

test("a point opens its trace, a drag over them zooms the time", async () => {
  const traces = await open(withQuery("send mail"));
  await expect.poll(() => traces.matched()).toBe(1);
  const box = await traces.scatter.boundingBox();
  if (!box) throw new Error("the scatter is not visible");
  // 10:15:40 of 09:17:40 to 10:17:40.
  const x = box.x + 60 + (box.width - 76) * (58 / 60);
  await traces.page.mouse.move(x - 120, box.y + 60);
  await traces.page.mouse.down();
  await traces.page.mouse.move(x - 60, box.y + 60);
  await traces.page.mouse.move(x + 8, box.y + 60);
  await traces.page.mouse.up();
  await expect.poll(() => traces.params().get("from")).toMatch(/^2026-11-25T10:0/);
  await expect.poll(() => traces.matched()).toBe(1);
  await traces.page.goBack();
  await expect.poll(() => traces.params().get("from")).toBe(null);
  await expect.poll(() => traces.matched()).toBe(1);
  for (let y = 10; y < 120 && !traces.page.url().includes("/traces/"); y += 6)
    await traces.page.mouse.click(x, box.y + y);
  await traces.page.getByRole("heading", { name: "fulfil consume invoices" }).waitFor();
});

test("a matched span opens in its trace", async () => {
  const traces = await open(withQuery(`trace_id:${checkoutId} name:"rules.apply"`));
  await traces.rows.first().getByRole("link", { name: "rules.apply" }).click();
  await new TracePage(traces.page).drawer.getByRole("heading", { name: "rules.apply" }).waitFor();
});

test("Shift T shows the durations as a table", async () => {
  const traces = await open();
  await traces.rows.first().waitFor();
  await traces.page.keyboard.press("Shift+T");
  const table = traces.page.getByRole("region", { name: "Durations over time, table" });
  expect(await table.getByRole("row").nth(1).innerText()).toMatch(/edge POST \/checkout\s+10:05:53/);
});

test("a table for stages", async () => {
  const traces = await open(withQuery("* | top 3 service"));
  const table = traces.page.getByRole("table", { name: "Result" });
  await table.waitFor();
  expect(await table.getByRole("row").nth(1).innerText()).toMatch(/^postgres\s+2,652/);
});

test("partial answers say so; failed ones say what to do", async () => {
  const traces = await open(withQuery("state:partial"));
  await traces.page.getByText(/1 file is damaged and was left out/).waitFor();
  await traces.search("state:error");
  const alert = traces.page.getByRole("alert").filter({ hasText: "Narrow the time range" });
  await alert.waitFor();
  await traces.search('"never closed');
  await traces.page.getByRole("heading", { name: "The query cannot be read" }).waitFor();
});

test("nothing matched, and nothing there at all: the next step", async () => {
  const traces = await open(withQuery("nothingofthekind"));
  await traces.page.getByRole("heading", { name: /Nothing matched in the last 1/ }).waitFor();
  await traces.page.getByRole("button", { name: "Show every trace" }).click();
  await expect.poll(() => traces.matched()).toBe(242);
  server.traces.empty = true;
  await traces.page.reload();
  await traces.page.getByRole("heading", { name: /No trace began in the last 1/ }).waitFor();
  await traces.page.getByText("OTEL_EXPORTER_OTLP_ENDPOINT").waitFor();
});

test("more than the first are asked for", async () => {
  const traces = await open();
  await traces.rows.first().waitFor();
  expect(await traces.table.getAttribute("aria-rowcount")).toBe("51");
  await traces.page.getByRole("region", { name: "Traces, list" }).focus();
  await traces.page.getByRole("button", { name: "Show up to 200 traces" }).click();
  await expect.poll(() => traces.table.getAttribute("aria-rowcount")).toBe("201");
  expect(await traces.rows.count()).toBeLessThan(60);
});
