// From OTLP spans to the map: what is sent to the agent becomes services, edges, numbers and links to traces.
import { beforeAll, expect, test, vi } from "vitest";
import { api } from "./environment";
import { ServicesPage } from "./pages/ServicesPage";
import { check, signedIn, withBrowser } from "./session";
import { newShop, type Shop, sendTraces } from "./spans";

/** Ten seconds of spans are counted when they are over, and edges when both ends are there. */
const patience = { timeout: 40_000, interval: 1000 };
const count = 60;

const shop: Shop = newShop();
let traces: string[] = [];

interface Listed {
  services: { service: string; rate: number; errors: number; p95_ns: number | null }[];
}

withBrowser();
beforeAll(async () => {
  traces = await sendTraces(shop, count, 500);
  const startMs = Date.now();
  await vi.waitUntil(async () => {
    const answer = (await api(`/services?${lastQuarter()}`)) as Listed;
    const names = answer.services.map(({ service }) => service);
    return [shop.front, shop.checkout, shop.catalog].every((name) => names.includes(name));
  }, patience);
  console.log(`services after ${((Date.now() - startMs) / 1000).toFixed(1)} s`);
}, 60_000);

function lastQuarter(): URLSearchParams {
  const nowMs = Date.now();
  return new URLSearchParams({
    start: new Date(nowMs - 900_000).toISOString(),
    end: new Date(nowMs).toISOString(),
  });
}

const search = "from=now-15m&to=now";

test.for(["dark", "light"] as const)("the services are in the list, the worst first, %s", async (scheme) => {
  const { page } = await signedIn(`/services?${search}`, { scheme });
  const services = new ServicesPage(page);
  await services.row(shop.front).waitFor({ timeout: 20_000 });
  const names = await services.names();
  // One in eight payments fails, and the catalog never does.
  expect(names.indexOf(shop.checkout)).toBeLessThan(names.indexOf(shop.catalog));
  expect(await services.row(shop.checkout).innerText()).toMatch(/1[0-9](\.\d+)?\s%/);
  await check(page, `e2e-services-${scheme}`);
});

test.for(["dark", "light"] as const)("the map has the calls, up to the database, %s", async (scheme) => {
  const { page } = await signedIn(`/services/map?${search}&group=none`, { scheme });
  const services = new ServicesPage(page);
  await expect
    .poll(
      async () => {
        await page.keyboard.press("r");
        return services.edge(shop.catalog, shop.database).count();
      },
      { timeout: 40_000, interval: 2000 },
    )
    .toBe(1);
  expect(await services.edge(shop.front, shop.checkout).count()).toBe(1);
  expect(await services.edge(shop.checkout, shop.catalog).count()).toBe(1);
  expect(await services.node(shop.database).getAttribute("data-type")).toBe("database");
  await services.node(shop.catalog).click();
  await services.drawer.getByRole("heading", { name: shop.catalog }).waitFor();
  await services.drawer.getByRole("img", { name: /^Latency p95/ }).waitFor({ timeout: 20_000 });
  await services.drawer.getByRole("region", { name: "Depends on" }).getByText(shop.database).waitFor();
  await check(page, `e2e-map-${scheme}`);
  await page.getByRole("link", { name: shop.database }).click();
  await expect
    .poll(
      () => services.drawer.getByRole("region", { name: "Rate" }).getByRole("img").getAttribute("aria-label"),
      {
        timeout: 20_000,
      },
    )
    .toMatch(/^Rate\. rate/);
});

test("one service, its numbers, and from an operation to its traces", async () => {
  const { page } = await signedIn(`/services/${shop.checkout}?${search}`);
  const services = new ServicesPage(page);
  await services.chart("Latency").waitFor({ timeout: 20_000 });
  await check(page, "e2e-service-dark");
  const upstream = services.panel("Upstream").getByRole("row").nth(1);
  expect(await upstream.innerText()).toContain(shop.front);
  await services.panel("Downstream").getByText(shop.catalog).waitFor();
  await services.panel("Hosts").getByText("e2e-host").waitFor();
  await services.panel("Operations").getByRole("link", { name: "POST /orders" }).click();
  await expect.poll(() => new URL(page.url()).pathname).toBe("/traces");
  const params = new URL(page.url()).searchParams;
  expect(params.get("order")).toBe("slowest");
  const found = (await api(
    `/traces/search?${new URLSearchParams({ query: params.get("query") ?? "", limit: "100", order: "slowest" })}&${lastQuarter()}`,
  )) as { traces: { trace_id: string; duration_ns: number }[] };
  expect(found.traces.map(({ trace_id }) => trace_id).sort()).toEqual([...traces].sort());
  const lengths = found.traces.map(({ duration_ns }) => duration_ns);
  expect(lengths).toEqual([...lengths].sort((a, b) => b - a));
  await expect.poll(() => page.getByText(shop.checkout).count(), { timeout: 20_000 }).toBeGreaterThan(0);
});

test("a diamond on the latency opens the trace that it is of", async () => {
  const { page } = await signedIn(`/services/${shop.front}?${search}`);
  const services = new ServicesPage(page);
  const diamonds = services.panel("Latency").getByRole("link", { name: /^Trace at/ });
  await expect.poll(() => diamonds.count(), { timeout: 20_000 }).toBeGreaterThan(0);
  await diamonds.first().click();
  await expect.poll(() => new URL(page.url()).pathname).toMatch(/^\/traces\/[0-9a-f]{32}$/);
  expect(traces).toContain(new URL(page.url()).pathname.slice("/traces/".length));
});
