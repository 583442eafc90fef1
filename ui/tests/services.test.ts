// The services pages by hand: the list, one service, and the way from records, charts and hosts to traces.
import { expect, test } from "vitest";
import { overflowPx } from "../e2e/pages/browser";
import { ServicesPage } from "../e2e/pages/ServicesPage";
import { openLogs, server, withFixture, withQuery } from "./harness";

withFixture();

async function open(search = ""): Promise<ServicesPage> {
  const services = new ServicesPage((await openLogs()).page);
  await services.open(search);
  return services;
}

async function openService(name: string, search = ""): Promise<ServicesPage> {
  const services = new ServicesPage((await openLogs()).page);
  await services.openService(name, search);
  return services;
}

function url(services: { page: { url: () => string } }): URL {
  return new URL(services.page.url());
}

test("worst first: errors, then p95; who takes no calls says so", async () => {
  const services = await open();
  await expect
    .poll(() => services.names())
    .toEqual([
      "checkout",
      "payment",
      "fulfil",
      "edge",
      "search",
      "nightly",
      "catalog",
      "pricing",
      "cart",
      "inventory",
    ]);
  expect(await services.row("checkout").innerText()).toMatch(
    /38\s+6\.41\s%\s+387\sms\s+943\sms\s+1\.51\ss\s+2/,
  );
  expect(await services.row("nightly").innerText()).toContain("no entry");
  expect(await services.row("catalog").innerText()).not.toContain("no entry");
});

test("sorted by a column, and found by name; both are in the address", async () => {
  const services = await open();
  await services.row("checkout").waitFor();
  await services.sortBy("Rate, per s");
  await expect.poll(async () => (await services.names())[0]).toBe("pricing");
  await services.sortBy("Rate, per s");
  await expect.poll(async () => (await services.names())[0]).toBe("nightly");
  expect(url(services).searchParams.get("sort")).toBe("rate");
  await services.page.getByRole("button", { name: "Worst first" }).click();
  await expect.poll(async () => (await services.names())[0]).toBe("checkout");
  await services.page.keyboard.press("/");
  await services.page.keyboard.type("c t");
  await expect
    .poll(() => services.names())
    .toEqual(["checkout", "catalog", "cart", "inventory"].filter(hasBoth));
  expect(url(services).searchParams.get("filter")).toBe("c t");
  await services.find.fill("nobody");
  await services.page.getByRole("heading", { name: "No service is called “nobody”" }).waitFor();
});

function hasBoth(name: string): boolean {
  return name.includes("c") && name.includes("t");
}

test("by keyboard: g s, j, Enter", async () => {
  const logs = await openLogs();
  await logs.open();
  await logs.page.keyboard.press("g");
  await logs.page.keyboard.press("s");
  const services = new ServicesPage(logs.page);
  await services.row("checkout").waitFor();
  await logs.page.keyboard.press("j");
  await logs.page.keyboard.press("j");
  await logs.page.keyboard.press("Enter");
  await logs.page.getByRole("heading", { level: 1, name: "payment" }).waitFor();
});

test("each leads to its traces, its logs and its place on the map, at the time that is shown", async () => {
  const services = await open();
  const link = (name: string) => services.page.getByRole("link", { name, exact: true }).getAttribute("href");
  await services.row("catalog").waitFor();
  const from = "from=2026-11-25T09%3A17%3A40.000Z&to=2026-11-25T10%3A17%3A40.000Z";
  expect(await link("Traces of catalog")).toBe(`/traces?query=service%3Acatalog&${from}`);
  expect(await link("Logs of catalog")).toBe(`/logs?query=service%3Acatalog&${from}`);
  expect(await link("catalog on the map")).toBe("/services/map?node=catalog");
});

test("a refresh asks again and keeps the list", async () => {
  const services = await open();
  await services.row("checkout").waitFor();
  const asked = () => server.requests.filter((one) => one.startsWith("/services?")).length;
  const before = asked();
  server.services.newcomer = true;
  await services.page.keyboard.press("r");
  await services.row("recommend").waitFor();
  expect(asked()).toBe(before + 1);
});

test("old numbers say how old they are", async () => {
  server.services.lateS = 900;
  const services = await open();
  await services.page.getByText("data until 10:02:40 UTC").waitFor();
});

test("an answer that fails says why, and a try again brings it", async () => {
  server.failing.add("/services");
  const services = await open();
  await services.page.getByRole("alert").getByText("Too many searches run at once").waitFor();
  server.failing.clear();
  await services.page.getByRole("button", { name: "Try again" }).click();
  await services.row("checkout").waitFor();
});

test("no service yet: how to send traces", async () => {
  server.services.empty = true;
  const services = await open();
  await services.page.getByRole("heading", { name: "No service has sent spans in this time" }).waitFor();
  await services.page.getByRole("button", { name: "This collector" }).click();
  await services.page.getByText("OTEL_EXPORTER_OTLP_ENDPOINT").first().waitFor();
  expect(await services.page.getByLabel("OTLP settings").innerText()).toContain("http://127.0.0.1:7070");
  await services.page.getByRole("button", { name: "Python" }).click();
  await services.page.getByText("opentelemetry-instrument python app.py").waitFor();
});

test("a service: its numbers, charts, operations, neighbours and hosts", async () => {
  const services = await openService("catalog");
  await services.page.getByText("391\u00a0req/s").first().waitFor();
  expect(await services.chart("Latency").getAttribute("aria-label")).toMatch(/3 series .* highest 1\.\d+\ss/);
  const rows = services.panel("Operations").getByRole("row");
  expect(await rows.nth(1).innerText()).toMatch(/^POST \/products\/bulk server/);
  const traces = services.panel("Operations").getByRole("link", { name: "GET /products/{sku}" });
  expect(new URL(await traces.evaluate((link: HTMLAnchorElement) => link.href)).searchParams.toString()).toBe(
    new URLSearchParams({
      query: 'service:catalog name:"GET /products/{sku}" kind:server',
      order: "slowest",
      from: "2026-11-25T09:17:40.000Z",
      to: "2026-11-25T10:17:40.000Z",
    }).toString(),
  );
  expect(await services.panel("Upstream").getByRole("row").nth(1).innerText()).toMatch(
    /^checkout\s+211\s+0\s%/,
  );
  await services.panel("Downstream").getByText("postgres database").waitFor();
  await services.panel("Hosts").getByRole("link", { name: "app-4" }).click();
  await expect.poll(() => url(services).pathname).toBe("/hosts/app-4");
});

test("where its numbers name no host, its spans do", async () => {
  const services = await openService("checkout");
  await services.panel("Hosts").getByRole("link", { name: "app-4" }).waitFor();
});

test("what a service calls is among its operations on demand", async () => {
  const services = await openService("edge");
  await services.panel("Operations").getByRole("link", { name: "POST /checkout" }).waitFor();
  expect(await services.panel("Operations").getByText("client").count()).toBe(0);
  await services.page.getByRole("button", { name: "With its calls and inner spans: 1" }).click();
  await services.panel("Operations").getByRole("link", { name: "POST", exact: true }).waitFor();
});

test("operations are sorted by a click, and walked by keys", async () => {
  const services = await openService("catalog");
  const first = () => services.panel("Operations").getByRole("row").nth(1).innerText();
  await expect.poll(first).toMatch(/^POST/);
  await services.panel("Operations").getByRole("button", { name: "Rate, per s" }).click();
  await expect.poll(first).toMatch(/^GET \/products\s/);
  await services.page.keyboard.press("j");
  await services.page.keyboard.press("j");
  const focused = await services.page.evaluate("document.activeElement.textContent");
  expect(focused).toBe("GET /products/{sku}");
});

test("diamonds on the latency open their traces, by pointer and by keys", async () => {
  const services = await openService("catalog");
  const diamonds = services.panel("Latency").getByRole("link");
  await expect.poll(() => diamonds.count()).toBeGreaterThan(10);
  const last = diamonds.last();
  await last.hover();
  await services.page.getByText("Click opens the trace").waitFor();
  await diamonds.first().focus();
  await services.page.keyboard.press("ArrowRight");
  const name = await services.page.evaluate("document.activeElement.getAttribute('aria-label')");
  expect(name).toBe(await diamonds.nth(1).getAttribute("aria-label"));
  expect(name).toMatch(/^Trace at 09:\d\d:00\.250, \d+(\.\d+)?\sms of GET \/products$/);
  await services.page.keyboard.press("Enter");
  await expect.poll(() => url(services).pathname).toMatch(/^\/traces\/4b[0-9a-f]{30}$/);
  expect(url(services).searchParams.get("span")).toMatch(/^[0-9a-f]{16}$/);
});

test("a drag on one chart zooms all of them", async () => {
  const services = await openService("catalog");
  const box = await services.chart("Rate").boundingBox();
  if (!box) throw new Error("the chart is not visible");
  await services.page.mouse.move(box.x + 150, box.y + 60);
  await services.page.mouse.down();
  await services.page.mouse.move(box.x + 200, box.y + 60);
  await services.page.mouse.move(box.x + 250, box.y + 60);
  await services.page.mouse.up();
  await expect.poll(() => url(services).searchParams.get("from")).toMatch(/^2026-11-25T09:3/);
});

test("a service that nobody knows: say so, and look further back", async () => {
  const services = await openService("nobody");
  await services.page.getByRole("heading", { name: "nobody has sent no spans in this time" }).waitFor();
  await services.page.getByRole("button", { name: /Look at the last 24/ }).click();
  await expect.poll(() => url(services).searchParams.get("from")).toBe("now-24h");
});

test("charts as tables", async () => {
  const services = await openService("catalog");
  await services.chart("Latency").waitFor();
  await services.page.keyboard.press("Shift+T");
  await services.page.getByRole("table", { name: "Latency, table" }).waitFor();
});

test("a record opens its trace at its span", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("sku"));
  await logs
    .row(/deadline/)
    .first()
    .click();
  await logs.record.waitFor();
  const link = logs.record.getByRole("link", { name: "Open trace" });
  expect(await link.getAttribute("href")).toMatch(/^\/traces\/[0-9a-f]{32}\?span=[0-9a-f]{16}$/);
  await link.click();
  await expect.poll(() => new URL(logs.page.url()).pathname).toMatch(/^\/traces\/[0-9a-f]{32}$/);
});

test("the column of trace ids leads there, too", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("sku", { columns: "service,trace_id,body" }));
  const cell = logs.rows.first().locator("[data-field=trace_id] a");
  expect(await cell.getAttribute("href")).toMatch(/^\/traces\/[0-9a-f]{32}\?span=[0-9a-f]{16}$/);
  await cell.click();
  await expect.poll(() => new URL(logs.page.url()).pathname).toMatch(/^\/traces\//);
});

test("a query for a quantile has diamonds on the Metrics page, one for a gauge has none", async () => {
  const { page } = await openLogs();
  const q = "histogram_quantile(0.95, sum by (le) (rate(http_server_request_duration_seconds_bucket[5m])))";
  await page.goto(`/explore?${new URLSearchParams({ q })}`);
  const diamonds = page.getByRole("region", { name: "Graph" }).getByRole("link", { name: /^Trace at/ });
  await expect.poll(() => diamonds.count()).toBeGreaterThan(10);
  expect(await diamonds.first().getAttribute("href")).toMatch(/^\/traces\/4b/);
  await page.goto(`/explore?${new URLSearchParams({ q: "up" })}`);
  await page.getByRole("region", { name: "Graph" }).getByRole("img").waitFor();
  expect(
    server.requests.filter((one) => one.includes("query_exemplars") && one.includes("query=up")),
  ).toEqual([]);
});

test("on dashboards, too; a query may say that it wants none", async () => {
  const expr =
    "histogram_quantile(0.95, sum by (le) (rate(http_server_request_duration_seconds_bucket[5m])))";
  const panel = (title: string, x: number, target: object) => ({
    type: "timeseries",
    title,
    gridPos: { x, y: 0, w: 8, h: 8 },
    targets: [{ refId: "A", ...target }],
  });
  const panels = [
    panel("Quantile", 0, { expr }),
    panel("Milliseconds", 8, { expr: `${expr} * 1000` }),
    panel("Without", 16, { expr, exemplar: false }),
  ];
  const dashboard = { uid: "latency", title: "Latency", time: { from: "now-1h", to: "now" }, panels };
  server.dashboards.answer(
    "POST",
    "/dashboards",
    `{"dashboard":${JSON.stringify(dashboard)},"revision":null}`,
  );
  const { page } = await openLogs();
  await page.goto("/d/latency");
  const diamonds = (title: string) =>
    page.getByRole("region", { name: title, exact: true }).getByRole("link", { name: /^Trace at/ });
  await expect.poll(() => diamonds("Quantile").count()).toBeGreaterThan(10);
  await expect.poll(() => diamonds("Milliseconds").count()).toBeGreaterThan(10);
  // Of another unit: on the base line, without a value.
  expect(await diamonds("Milliseconds").first().getAttribute("aria-label")).toMatch(/^Trace at [\d:.]+ of /);
  expect(await diamonds("Without").count()).toBe(0);
});

test("a host lists the services that send from it", async () => {
  const { page } = await openLogs();
  await page.goto("/hosts/app-4");
  const panel = page.getByRole("region", { name: "Services", exact: true });
  await panel.scrollIntoViewIfNeeded();
  await panel.getByRole("link", { name: /^catalog/ }).click();
  await page.getByRole("heading", { level: 1, name: "catalog" }).waitFor();
});

test.each(["/services", "/services/catalog", "/services/map", "/services/map?node=catalog"])(
  "%s fits 1920, 1440, 1280 and 390 pixels",
  async (path) => {
    const { page } = await openLogs();
    await page.goto(path);
    await page.getByRole("heading", { level: 1 }).waitFor();
    for (const width of [1920, 1440, 1280, 1024, 800, 390]) {
      await page.setViewportSize({ width, height: 900 });
      await page.waitForTimeout(120);
      expect([width, await overflowPx(page)]).toEqual([width, 0]);
    }
  },
);
