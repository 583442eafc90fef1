// The hosts pages by hand: sort, find, open; a host's charts, tables and logs.
import { expect, test } from "vitest";
import { HostsPage } from "../e2e/pages/HostsPage";
import { openLogs, server, withFixture } from "./harness";

withFixture();

async function open(search = ""): Promise<HostsPage> {
  const hosts = new HostsPage((await openLogs()).page);
  await hosts.open(search);
  return hosts;
}

function params(hosts: HostsPage): URLSearchParams {
  return new URL(hosts.page.url()).searchParams;
}

test("the most saturated host is first, with what it waits for", async () => {
  const hosts = await open();
  await expect
    .poll(() => hosts.names())
    .toEqual(["db-1", "app-4", "mq-1", "app-1", "app-2", "app-3", "old-1"].sort(bySaturation));
  expect(await hosts.row("db-1").innerText()).toMatch(/^db-1\s+5\d\s%\s+CPU/);
  expect(await hosts.row("mq-1").innerText()).toMatch(/1\d\s%\s+IO/);
  expect(await hosts.row("old-1").innerText()).toContain("2\u00a0h ago");
});

/** The quiet ones differ by noise only. */
function bySaturation(a: string, b: string): number {
  const order = ["db-1", "app-4", "mq-1", "app-2", "app-1", "app-3", "old-1"];
  return order.indexOf(a) - order.indexOf(b);
}

test("sorted by a column, and found by name; both are in the address", async () => {
  const hosts = await open();
  await hosts.row("db-1").waitFor();
  await hosts.sortBy("Memory");
  await expect.poll(async () => (await hosts.names())[0]).toBe("app-2");
  await hosts.sortBy("Host");
  await expect.poll(async () => (await hosts.names())[0]).toBe("app-1");
  await hosts.sortBy("Host");
  await expect.poll(async () => (await hosts.names())[0]).toBe("old-1");
  expect(params(hosts).get("sort")).toBe("host");
  await hosts.find.fill("app");
  await expect.poll(() => hosts.names()).toEqual(["app-4", "app-3", "app-2", "app-1"]);
  expect(params(hosts).get("filter")).toBe("app");
  await hosts.find.fill("nobody");
  await hosts.page.getByRole("heading", { name: "No host is called “nobody”" }).waitFor();
});

test("by keyboard: g h, j, Enter", async () => {
  const logs = await openLogs();
  await logs.open();
  await logs.page.keyboard.press("g");
  await logs.page.keyboard.press("h");
  const hosts = new HostsPage(logs.page);
  await hosts.row("db-1").waitFor();
  await logs.page.keyboard.press("j");
  await logs.page.keyboard.press("Enter");
  await logs.page.getByRole("heading", { level: 1, name: "db-1" }).waitFor();
});

test("a host: numbers, charts, tables, logs", async () => {
  const hosts = new HostsPage((await openLogs()).page);
  await hosts.openHost("db-1");
  await hosts.page.getByText("CPU stalled").waitFor();
  await hosts.page.getByText("since 2026-10-15 10:17:40 UTC").waitFor();
  await hosts.chart("CPU by mode").waitFor();
  expect(await hosts.chart("Pressure").getAttribute("aria-label")).toMatch(
    /highest [56]\d(\.\d)?\s% at 10:[01]\d:\d\d, CPU/,
  );
  await hosts.panel("Swap").getByText("This host has no swap.").waitFor();
  const systems = hosts.panel("File systems").getByRole("row");
  expect(await systems.nth(1).innerText()).toMatch(
    /^\/var\/lib\/postgresql nvme1n1\s+88\.0\s%\s+792\sGiB\s+900\sGiB\s+108\sGiB/,
  );
  const processes = hosts.panel("Top processes").getByRole("row");
  expect(await processes.nth(1).innerText()).toMatch(/^postgres\s+7\.42\s+6\.2\sGiB\s+2210/);
});

test("the logs are those of the host and the time", async () => {
  const hosts = new HostsPage((await openLogs()).page);
  await hosts.openHost("app-1");
  const logs = hosts.panel("Logs");
  await expect.poll(() => logs.getByRole("listitem").count()).toBe(20);
  expect(await logs.getByRole("listitem").first().innerText()).toMatch(/10:17:\d\d\.\d{3}/);
  await logs.getByRole("link", { name: "Open in Logs" }).click();
  await expect
    .poll(() => hosts.page.url())
    .toContain("query=host%3A%22app-1%22&from=2026-11-25T09%3A17%3A40.000Z");
});

test("one cursor on every chart, a drag on one zooms all", async () => {
  const hosts = new HostsPage((await openLogs()).page);
  await hosts.openHost("db-1");
  await hosts.chart("Memory").waitFor();
  const line = hosts.panel("Memory").locator(".u-cursor-x");
  let x = 200;
  await expect
    // The pointer goes on, as a hand's does: a chart that is drawn anew under it hears of it with the next move.
    .poll(async () => {
      x = x === 200 ? 201 : 200;
      await hosts.chart("CPU by mode").hover({ position: { x, y: 60 } });
      return line.evaluate((element) => getComputedStyle(element).transform);
    })
    .toMatch(/matrix\(1, 0, 0, 1, 1\d\d/);
  expect(await hosts.page.locator("main .floating").count()).toBe(1);
  const box = await hosts.chart("CPU by mode").boundingBox();
  if (!box) throw new Error("the chart is not visible");
  await hosts.page.mouse.move(box.x + 150, box.y + 60);
  await hosts.page.mouse.down();
  await hosts.page.mouse.move(box.x + 200, box.y + 60);
  await hosts.page.mouse.move(box.x + 250, box.y + 60);
  await hosts.page.mouse.up();
  await expect.poll(() => params(hosts).get("from")).toMatch(/^2026-11-25T09:3/);
  await hosts.page.goBack();
  await expect.poll(() => params(hosts).get("from")).toBeNull();
});

test("a chart leads to its queries", async () => {
  const hosts = new HostsPage((await openLogs()).page);
  await hosts.openHost("db-1");
  await hosts.panel("Load").hover();
  await hosts.panel("Load").getByRole("link", { name: "Query" }).click();
  await hosts.page.locator(".cm-content").first().waitFor();
  expect(params(hosts).getAll("q")).toEqual([
    'max(system_cpu_load_average_1m{host_name="db-1"})',
    'max(system_cpu_load_average_5m{host_name="db-1"})',
    'max(system_cpu_load_average_15m{host_name="db-1"})',
  ]);
  expect(params(hosts).getAll("legend")).toEqual(["1 min", "5 min", "15 min"]);
});

test("a chart that failed asks again", async () => {
  server.failing.add("/query_range");
  const hosts = new HostsPage((await openLogs()).page);
  await hosts.openHost("db-1");
  await hosts.panel("Load").getByText("Too many queries run at once.").waitFor();
  server.failing.clear();
  await hosts.panel("Load").getByRole("button", { name: "Try again" }).click();
  await hosts.chart("Load").waitFor();
});

test("no host yet: how to get one", async () => {
  server.metrics.empty = true;
  const hosts = await open();
  await hosts.page.getByRole("heading", { name: "No host has sent metrics" }).waitFor();
  await hosts.page.getByRole("link", { name: "How to run an agent" }).click();
  await hosts.page.getByRole("heading", { name: "Send data" }).waitFor();
});
