// The service map by hand: point, open, find, fold, and nothing jumps.
import type { Locator } from "playwright-core";
import { expect, test } from "vitest";
import { phone } from "../e2e/pages/browser";
import { ServicesPage } from "../e2e/pages/ServicesPage";
import { openLogs, server, withFixture } from "./harness";

withFixture();

async function open(search = ""): Promise<ServicesPage> {
  const services = new ServicesPage((await openLogs()).page);
  await services.openMap(search);
  await services.node("checkout").waitFor();
  return services;
}

function params(services: ServicesPage): URLSearchParams {
  return new URL(services.page.url()).searchParams;
}

/** Where each node stands on the map, whatever part of it is shown. */
function places(services: ServicesPage): Promise<Record<string, string>> {
  return services.map
    .locator("[data-node]")
    .evaluateAll((nodes: HTMLElement[]) =>
      Object.fromEntries(
        nodes.map((node) => [node.dataset.node ?? "", `${node.style.left} ${node.style.top}`]),
      ),
    );
}

async function middleOf(element: Locator): Promise<{ x: number; y: number }> {
  const box = await element.boundingBox();
  if (!box) throw new Error("not on the screen");
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

test("what there is: services, a database, a queue, an external, and their numbers", async () => {
  const services = await open();
  await services.page.getByText("14 nodes, 16 edges").waitFor();
  expect(await services.node("catalog").innerText()).toMatch(/catalog\s+391\sreq\/s\s+p95\s+754\sms/);
  expect(await services.node("postgres").getAttribute("data-type")).toBe("database");
  expect(await services.node("postgres").innerText()).toMatch(/4,434\sq\/s/);
  expect(await services.node("api.stripe.com").getAttribute("data-type")).toBe("external");
  const dash = (client: string, name: string) =>
    services.edge(client, name).locator("path").first().getAttribute("stroke-dasharray");
  expect(await dash("rabbitmq", "fulfil")).toBe("5 4");
  expect(await dash("catalog", "postgres")).toBeNull();
  expect(await services.edge("edge", "checkout").getAttribute("data-level")).toBe("crit");
  const width = async (client: string, name: string) =>
    Number(await services.edge(client, name).locator("path").first().getAttribute("stroke-width"));
  expect(await width("catalog", "postgres")).toBeGreaterThan(await width("nightly", "postgres"));
});

test("callers are at the left of what they call", async () => {
  const services = await open();
  const x = async (name: string) => (await middleOf(services.node(name))).x;
  expect(await x("edge")).toBeLessThan(await x("checkout"));
  expect(await x("checkout")).toBeLessThan(await x("catalog"));
  expect(await x("catalog")).toBeLessThan(await x("postgres"));
});

test("a call under the pointer tells rate, errors and latency", async () => {
  const services = await open();
  const line = services.edge("catalog", "postgres").locator("path").last();
  const at = await line.evaluate((path: SVGPathElement) => {
    const point = path.getPointAtLength(path.getTotalLength() * 0.5);
    const { x, y } = point.matrixTransform(path.getScreenCTM() ?? new DOMMatrix());
    return { x, y };
  });
  await services.page.mouse.move(at.x, at.y);
  const tip = services.map.locator(".floating");
  await tip.waitFor();
  expect(await tip.innerText()).toMatch(
    /catalog → postgres\s+rate\s+4,240\sq\/s\s+errors\s+0\s%\s+p95, caller\s+67\.5\sms/,
  );
});

test("a click opens the drawer, Esc closes it, the map stays", async () => {
  const services = await open();
  const before = await places(services);
  await services.node("catalog").click();
  await services.drawer.getByRole("heading", { name: "catalog" }).waitFor();
  await services.drawer.getByRole("img", { name: /^Latency p95/ }).waitFor();
  expect(params(services).get("node")).toBe("catalog");
  expect((await services.drawer.boundingBox())?.width).toBe(396);
  await services.drawer.getByRole("table", { name: "Operations" }).getByText("GET /products/{sku}").waitFor();
  await services.drawer
    .getByRole("region", { name: "Depends on" })
    .getByRole("link", { name: "postgres" })
    .click();
  await services.drawer.getByRole("heading", { name: "postgres" }).waitFor();
  await expect
    .poll(() => services.drawer.getByRole("img", { name: /^Latency p95/ }).getAttribute("aria-label"))
    .toMatch(/p95 rose from .* to 6\d(\.\d)?\sms/);
  expect(await places(services)).toEqual(before);
  await services.page.keyboard.press("Escape");
  await expect.poll(() => services.drawer.count()).toBe(0);
  await services.page.goBack();
  await expect.poll(() => params(services).get("node")).toBeNull();
});

test("the drawer leads to everything of the service", async () => {
  const services = await open("?node=catalog");
  await services.drawer.getByRole("link", { name: "Everything of catalog" }).click();
  await services.page.getByRole("heading", { level: 1, name: "catalog" }).waitFor();
  await services.page.goBack();
  await services.drawer.getByRole("heading", { name: "catalog" }).waitFor();
});

test("a refresh moves nothing; who is new takes a free place", async () => {
  const services = await open();
  const before = await places(services);
  server.services.newcomer = true;
  await services.page.keyboard.press("r");
  await services.node("recommend").waitFor();
  const { recommend, ...others } = await places(services);
  expect(others).toEqual(before);
  expect(Object.values(before)).not.toContain(recommend);
  server.services.newcomer = false;
  await services.page.keyboard.press("r");
  await expect.poll(() => services.node("recommend").count()).toBe(0);
  expect(await places(services)).toEqual(before);
});

test("also not after a look at one service", async () => {
  const services = await open();
  server.services.newcomer = true;
  await services.page.keyboard.press("r");
  await services.node("recommend").waitFor();
  const before = await places(services);
  await services.node("catalog").click();
  await services.drawer.getByRole("link", { name: "Everything of catalog" }).click();
  await services.page.getByRole("link", { name: "On the map" }).click();
  // The test's clock stands, so that the answer is the first one still.
  await services.node("edge").waitFor();
  await services.page.keyboard.press("r");
  await services.node("recommend").waitFor();
  expect(await places(services)).toEqual(before);
  await services.page.getByRole("button", { name: "Arrange anew" }).click();
  await expect.poll(() => places(services)).not.toEqual(before);
});

test("pan by drag, zoom by wheel and keys, all of it by 0", async () => {
  const services = await open();
  const edge = services.node("edge");
  const start = await middleOf(edge);
  await services.page.mouse.move(700, 820);
  await services.page.mouse.down();
  await services.page.mouse.move(760, 800);
  await services.page.mouse.move(820, 780);
  await services.page.mouse.up();
  await expect.poll(async () => Math.round((await middleOf(edge)).x - start.x)).toBe(120);
  expect(Math.round((await middleOf(edge)).y - start.y)).toBe(-40);
  const width = async () => (await edge.boundingBox())?.width ?? 0;
  const before = await width();
  await services.page.mouse.wheel(0, -200);
  await expect.poll(width).toBeGreaterThan(before * 1.2);
  await services.page.keyboard.press("-");
  await services.page.keyboard.press("-");
  await expect.poll(width).toBeLessThan(before);
  await services.page.keyboard.press("0");
  await expect.poll(async () => Math.round((await middleOf(edge)).x)).toBe(Math.round(start.x));
});

test("a drag that begins on a node opens nothing", async () => {
  const services = await open();
  const { x, y } = await middleOf(services.node("catalog"));
  await services.page.mouse.move(x, y);
  await services.page.mouse.down();
  await services.page.mouse.move(x + 40, y + 30);
  await services.page.mouse.move(x + 80, y + 60);
  await services.page.mouse.up();
  await services.page.waitForTimeout(200);
  expect(await services.drawer.count()).toBe(0);
});

test("by keyboard: arrows, Enter, Esc", async () => {
  const services = await open();
  await services.node("edge").focus();
  const focused = () => services.page.evaluate("document.activeElement.dataset.node") as Promise<string>;
  await services.page.keyboard.press("ArrowRight");
  await services.page.keyboard.press("ArrowUp");
  await services.page.keyboard.press("ArrowUp");
  expect(await focused()).toBe("checkout");
  await services.page.keyboard.press("Enter");
  await services.drawer.getByRole("heading", { name: "checkout" }).waitFor();
  // The time range did not move with the arrows.
  expect(params(services).get("from")).toBeNull();
  await services.page.keyboard.press("Escape");
  await expect.poll(() => services.drawer.count()).toBe(0);
  expect(await focused()).toBe("checkout");
});

test("found by name; Enter opens the first", async () => {
  const services = await open();
  await services.page.keyboard.press("/");
  await services.page.keyboard.type("post");
  await services.page.getByText("1 of 14 nodes found").waitFor();
  expect(await services.node("catalog").getAttribute("data-faint")).toBe("true");
  expect(await services.node("postgres").getAttribute("data-faint")).toBe("false");
  await services.page.keyboard.press("Enter");
  await services.drawer.getByRole("heading", { name: "postgres" }).waitFor();
  expect(params(services).get("find")).toBe("post");
});

test("too many to read: several as one, opened by a click, folded again", async () => {
  server.services.more = 60;
  const services = await open();
  await services.page.getByText("74 nodes as 19").waitFor();
  await services.map.getByRole("button", { name: /^billing-\*/ }).click();
  await services.node("billing-api-0").waitFor();
  await services.page.getByText("74 nodes as 30").waitFor();
  await services.map.getByRole("button", { name: /^media-\*/ }).waitFor();
  await services.page.getByRole("button", { name: "Fold again" }).click();
  await services.page.getByText("74 nodes as 19").waitFor();
  await services.page.getByRole("button", { name: /^group/ }).click();
  await services.page.getByRole("button", { name: "Nothing: every node by itself" }).click();
  await services.page.getByText("74 nodes, 76 edges").waitFor();
  expect(params(services).get("group")).toBe("none");
});

test("Shift T: the same as tables", async () => {
  const services = await open();
  await services.page.keyboard.press("Shift+T");
  const calls = services.page.getByRole("table", { name: "Calls on the map" });
  expect(await calls.getByRole("row").nth(2).innerText()).toMatch(
    /^catalog → postgres\s+4,240\sq\/s\s+0\s%\s+67\.5\sms/,
  );
  await services.page
    .getByRole("table", { name: "Nodes of the map" })
    .getByRole("button", { name: "redis" })
    .click();
  await services.drawer.getByRole("heading", { name: "redis" }).waitFor();
  await services.page.keyboard.press("Shift+T");
  await services.node("redis").waitFor();
});

test("on a phone: legible, moved by a finger, the drawer takes the screen", async () => {
  const services = new ServicesPage((await openLogs({ size: phone, touch: true })).page);
  await services.openMap();
  await services.node("edge").waitFor();
  expect((await services.node("edge").boundingBox())?.width).toBeGreaterThan(90);
  await services.node("edge").tap();
  await services.drawer.getByRole("heading", { name: "edge" }).waitFor();
  expect((await services.drawer.boundingBox())?.width).toBe(390);
  await services.drawer.getByRole("button", { name: "Close" }).tap();
  await expect.poll(() => services.drawer.count()).toBe(0);
});

test("nothing yet, and an answer that fails", async () => {
  server.services.empty = true;
  const services = new ServicesPage((await openLogs()).page);
  await services.page.goto("/services/map");
  await services.page.getByRole("heading", { name: "No service has sent spans in this time" }).waitFor();
  server.services.empty = false;
  server.failing.add("/services");
  await services.page.keyboard.press("r");
  await services.page.getByRole("alert").waitFor();
  server.failing.clear();
  await services.page.getByRole("button", { name: "Try again" }).click();
  await services.node("edge").waitFor();
});
