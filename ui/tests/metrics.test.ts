// The metrics page by hand: queries, names, the browser of metrics, the chart's pointer and keys.
import { expect, test } from "vitest";
import { MetricsPage } from "../e2e/pages/MetricsPage";
import { openLogs, server, withFixture } from "./harness";

withFixture();

const cpu = "sum by (cpu_mode) (rate(system_cpu_time_seconds_total[5m]))";

async function open(queries: string[], more: Record<string, string> = {}): Promise<MetricsPage> {
  const metrics = new MetricsPage((await openLogs()).page);
  const search = new URLSearchParams([...queries.map((query) => ["q", query]), ...Object.entries(more)]);
  await metrics.open(search.size > 0 ? `?${search}` : "");
  return metrics;
}

function params(metrics: MetricsPage): URLSearchParams {
  return new URL(metrics.page.url()).searchParams;
}

test("Enter runs the query, and the address has it", async () => {
  const metrics = await open([]);
  await metrics.run("A", cpu);
  await metrics.legend("user").waitFor();
  expect(params(metrics).getAll("q")).toEqual([cpu]);
  expect(await metrics.chart.getAttribute("aria-label")).toMatch(
    /5 series from 09:17:45 to 10:17:30; highest/,
  );
});

test("several queries: added, hidden, removed", async () => {
  const metrics = await open(["up"]);
  await metrics.legend("host_name=app-1, instance=app-1").waitFor();
  await metrics.page.getByRole("button", { name: "Add query" }).click();
  await metrics.run("B", cpu);
  await metrics.page.getByRole("region", { name: "Graph 2" }).waitFor();
  await metrics.page.getByRole("button", { name: "Hide query A" }).click();
  await metrics.legend("user").waitFor();
  expect(params(metrics).get("hide")).toBe("0");
  await metrics.page.getByRole("button", { name: "Remove query A" }).click();
  await expect.poll(() => params(metrics).getAll("q")).toEqual([cpu]);
});

test("names by a format", async () => {
  const metrics = await open(["up"]);
  await metrics.page.getByLabel("Names of query A").fill("host {{host_name}}");
  await metrics.page.keyboard.press("Enter");
  await metrics.legend("host db-1").waitFor();
  expect(params(metrics).get("legend")).toBe("host {{host_name}}");
});

test("what cannot be read is underlined while it is written", async () => {
  const metrics = await open([]);
  await metrics.type("A", "sum(up");
  await metrics.page.getByText("Unclosed left parenthesis. At character 4.").waitFor();
  expect(await metrics.page.locator(".cm-lintRange-error").innerText()).toBe("(");
  await metrics.type("A", "sum(up)");
  await expect.poll(() => metrics.page.locator(".cm-lintRange-error").count()).toBe(0);
});

test("names and values are suggested from what is stored", async () => {
  const metrics = await open([]);
  await metrics.query("A").click();
  await metrics.page.keyboard.type("system_mem");
  await metrics.page.getByRole("option", { name: /system_memory_usage_bytes/ }).click();
  await expect.poll(() => metrics.query("A").innerText()).toBe("system_memory_usage_bytes");
  await metrics.page.keyboard.type('{system_memory_state="');
  await metrics.page.getByRole("option", { name: "buffers" }).waitFor();
});

test("the browser puts a metric into the query, and a value filters it", async () => {
  const metrics = await open([]);
  await metrics.browser.getByLabel("Find a metric").fill("cpu");
  await metrics.browser.getByText("1 metric of 5").waitFor();
  await metrics.browser.getByRole("button", { name: /^system_cpu_time_seconds_total/ }).click();
  await expect.poll(() => params(metrics).get("q")).toBe("rate(system_cpu_time_seconds_total[5m])");
  await metrics.browser.getByRole("button", { name: "Labels of system_cpu_time_seconds_total" }).click();
  await metrics.browser.getByText("counter, s, 60 series").waitFor();
  await metrics.browser.getByRole("button", { name: /^host_name/ }).click();
  await metrics.browser.getByRole("button", { name: /^db-1/ }).click();
  await expect
    .poll(() => params(metrics).get("q"))
    .toBe('rate(system_cpu_time_seconds_total{host_name="db-1"}[5m])');
});

test("a drag zooms, a double click goes back", async () => {
  const metrics = await open([cpu]);
  await metrics.legend("user").waitFor();
  await metrics.drag(0.5, 0.6);
  await expect.poll(() => params(metrics).get("from")).toMatch(/^2026-11-25T09:4\d/);
  await metrics.legend("user").waitFor();
  await metrics.chart.dblclick();
  await expect.poll(() => params(metrics).get("from")).toBeNull();
});

test("by keyboard: the cursor speaks, Shift selects, Enter zooms", async () => {
  const metrics = await open([cpu]);
  const cursor = metrics.page.getByRole("slider", { name: /^Time cursor/ });
  await cursor.focus();
  await metrics.page.keyboard.press("Home");
  expect(await cursor.getAttribute("aria-valuetext")).toMatch(/^09:17:45: idle \d+(\.\d+)?\s%, user/);
  await metrics.page.keyboard.press("ArrowRight");
  await metrics.page.keyboard.press("Shift+PageDown");
  await metrics.page.keyboard.press("Enter");
  await expect.poll(() => params(metrics).get("from")).toBe("2026-11-25T09:18:00.000Z");
  expect(params(metrics).get("to")).toBe("2026-11-25T09:20:30.000Z");
});

test("the tooltip lists the highest first, and a click keeps it", async () => {
  const metrics = await open(["many_series"]);
  await metrics.chart.hover({ position: { x: 500, y: 80 } });
  await expect
    .poll(() => metrics.graph.locator(".floating").innerText())
    .toMatch(/^09:\d\d:\d\d\n36\n1\d\d\n/);
  await metrics.page.mouse.down();
  await metrics.page.mouse.up();
  await metrics.page.mouse.move(5, 500);
  await metrics.page.getByText("kept, click to let go").waitFor();
});

test("a name is shown alone, and of 37 series ten are drawn", async () => {
  const metrics = await open(["many_series"]);
  await metrics.page.getByText(/The 10 highest of 37 are drawn/).waitFor();
  await metrics.legend("3").click();
  await expect.poll(() => metrics.chart.getAttribute("aria-label")).toMatch(/3 (rose|fell|is) /);
  await metrics.legend("4").click({ modifiers: ["Control"] });
  await expect.poll(() => metrics.chart.getAttribute("aria-label")).toMatch(/2 series/);
});

test("Shift T shows the numbers, the newest first", async () => {
  const metrics = await open([cpu]);
  await metrics.legend("user").waitFor();
  await metrics.page.keyboard.press("Shift+T");
  const table = metrics.page.getByRole("table", { name: "Values over time, table" });
  expect(await table.getByRole("rowheader").first().innerText()).toBe("10:17:30");
});

test("the table has the values at the end of the range", async () => {
  const metrics = await open(["system_memory_usage_bytes"], { tab: "table" });
  const row = metrics.values.getByRole("row").nth(1);
  await expect
    .poll(() => row.innerText())
    .toMatch(/system_memory_usage_bytes\{.*system_memory_state="cached"\}\s+\d+(\.\d)?\sGiB/);
  await metrics.page.getByText("at 2026-11-25 10:17:40 UTC").waitFor();
});

test("a refresh asks for the tail only", async () => {
  const metrics = await open(["up"], { refresh: "1s" });
  const asked = () =>
    server.requests
      .filter((request) => request.startsWith("/query_range?"))
      .map((request) => new URLSearchParams(request.slice("/query_range?".length)));
  await expect.poll(() => asked().length).toBeGreaterThan(1);
  const [first, second] = asked();
  expect(Number(first?.get("end")) - Number(first?.get("start"))).toBe(3585);
  expect(Number(second?.get("end")) - Number(second?.get("start"))).toBe(45);
  expect(await metrics.chart.getAttribute("aria-label")).toMatch(/from 09:17:45 to 10:17:30/);
});

test("a failed query says why and asks again", async () => {
  server.failing.add("/query_range");
  const metrics = await open(["up"]);
  await metrics.page.getByRole("alert").getByText("Too many queries run at once").waitFor();
  server.failing.clear();
  await metrics.page.getByRole("button", { name: "Try again" }).click();
  await metrics.chart.waitFor();
});

test("g m leads here, and the logs of the same time are one click away", async () => {
  const logs = await openLogs();
  await logs.open();
  await logs.page.keyboard.press("g");
  await logs.page.keyboard.press("m");
  const metrics = new MetricsPage(logs.page);
  await metrics.query("A").waitFor();
  await metrics.page.getByRole("link", { name: "Logs for this time" }).click();
  await expect.poll(() => logs.page.url()).toContain("/logs?from=2026-11-25T09%3A17%3A40.000Z");
});
