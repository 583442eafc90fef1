// One trace by hand: waterfall, path, folds, zoom, search, drawer, flame graph, table, addresses.
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { phone } from "../e2e/pages/browser";
import { TracePage } from "../e2e/pages/TracePage";
import { checkoutId, checkoutRecords, hugeId, largeId, orphansId, otherId } from "./fixture/traces";
import { openLogs, server, withFixture } from "./harness";

withFixture();

async function open(id = checkoutId, search = ""): Promise<TracePage> {
  const trace = new TracePage((await openLogs()).page);
  await trace.open(id, search);
  return trace;
}

test("what it is of, how long it took, where the time went, and its spans", async () => {
  const trace = await open();
  await trace.page.getByRole("heading", { name: "edge POST /checkout" }).waitFor();
  await trace.page.getByText("42 spans, 9 services, 6 hosts").waitFor();
  await trace.page.getByText("200", { exact: true }).waitFor();
  expect(await trace.page.getByText(/^Critical path 1\.05\ss/).isVisible()).toBe(true);
  expect(await trace.page.getByTitle(/^postgres: 862\sms of the path/).innerText()).toMatch(/82\.2\s%/);
  const lines = await trace.lines();
  expect(lines[0]).toMatch(
    /^POST \/checkout edge, server starts at 0\sms 1\.05\ss 9\sms on the critical path/,
  );
  expect(lines).toContainEqual(expect.stringMatching(/^7 more SELECTs postgres/));
  expect(await trace.count()).toBe(36);
});

test("arrows fold and unfold, also repeated calls", async () => {
  const trace = await open();
  const { keyboard } = trace.page;
  for (let step = 0; step < 4; step += 1) await keyboard.press("j");
  await expect.poll(() => trace.grid.getAttribute("aria-activedescendant")).toBe("line-3");
  await keyboard.press("ArrowLeft");
  await expect.poll(() => trace.count()).toBe(33);
  await trace.line(/^GetCart cart, server, 4 spans/).waitFor();
  await keyboard.press("ArrowRight");
  await expect.poll(() => trace.count()).toBe(36);
  for (let step = 0; step < 10; step += 1) await keyboard.press("ArrowDown");
  await keyboard.press("ArrowRight");
  await expect.poll(() => trace.count()).toBe(43);
  await keyboard.press("ArrowDown");
  await keyboard.press("ArrowLeft");
  await keyboard.press("ArrowLeft");
  await expect.poll(() => trace.count()).toBe(36);
  await trace.page.getByRole("button", { name: "Close all" }).click();
  await expect.poll(() => trace.count()).toBe(3);
  await trace.page.getByRole("button", { name: "Open all" }).click();
  await expect.poll(() => trace.count()).toBe(43);
});

test("a click on a line opens its span, on its arrow folds it, Esc closes", async () => {
  const trace = await open();
  await trace.clickLine(2, 0.3);
  await trace.drawer.getByRole("heading", { name: "PlaceOrder" }).waitFor();
  expect(trace.params().get("span")).toMatch(/^[0-9a-f]{16}$/);
  await trace.page.keyboard.press("Escape");
  await expect.poll(() => trace.drawer.count()).toBe(0);
  expect(trace.params().get("span")).toBe(null);
  const box = await trace.grid.boundingBox();
  await trace.page.mouse.click((box?.x ?? 0) + 14, (box?.y ?? 0) + 26 + 14);
  await expect.poll(() => trace.count()).toBe(1);
});

test("path only: P", async () => {
  const trace = await open();
  await trace.page.keyboard.press("Shift+P");
  await expect.poll(() => trace.params().get("path")).toBe("1");
  await expect.poll(() => trace.lines()).not.toContainEqual(expect.stringMatching(/^render/));
  expect(await trace.page.getByRole("button", { name: /^Path only/ }).getAttribute("aria-pressed")).toBe(
    "true",
  );
});

test("zoom: keys, a drag, the minimap; the address keeps it", async () => {
  const trace = await open();
  const zoom = () => trace.params().get("zoom");
  await trace.page.keyboard.press("+");
  await expect.poll(zoom).toMatch(/^\d+-\d+$/);
  await trace.page.keyboard.press("-");
  await expect.poll(zoom).toBe(null);
  await trace.dragBars(0.5, 0.7);
  await expect.poll(zoom).toMatch(/^\d+-\d+$/);
  const [from = 0, to = 0] = zoom()?.split("-").map(Number) ?? [];
  const start = trace.page.getByRole("slider", { name: "Start of the window" });
  expect(Number(await start.getAttribute("aria-valuenow"))).toBe(from);
  await start.focus();
  await trace.page.keyboard.press("ArrowLeft");
  await expect.poll(() => Number(zoom()?.split("-")[0])).toBeLessThan(from);
  expect(Number(zoom()?.split("-")[1])).toBe(to);
  const link = trace.page.url();
  await trace.page.goto("about:blank");
  await trace.page.goto(link);
  await expect.poll(() => start.getAttribute("aria-valuenow")).toBe(zoom()?.split("-")[0]);
  await trace.page.getByRole("button", { name: "Show all" }).click();
  await expect.poll(zoom).toBe(null);
});

test("search inside: / finds, Enter goes on, n and N too, a fold opens for what it hides", async () => {
  const trace = await open();
  await trace.page.keyboard.press("/");
  await trace.page.keyboard.type("select");
  const count = trace.page.getByRole("search").getByRole("status");
  await expect.poll(() => count.innerText()).toBe("– of 11");
  await trace.page.keyboard.press("Enter");
  await expect.poll(() => count.innerText()).toBe("1 of 11");
  await trace.page.keyboard.press("Shift+Enter");
  await expect.poll(() => count.innerText()).toBe("11 of 11");
  await expect.poll(() => trace.count()).toBe(43);
  expect(trace.params().get("find")).toBe("select");
  await trace.page.keyboard.press("Escape");
  await expect.poll(() => trace.params().get("find")).toBe(null);
});

test("a span: numbers, attributes, events, links, resource, its logs and its host", async () => {
  server.records = [...server.records, ...checkoutRecords()].sort((a, b) =>
    a.timestamp < b.timestamp ? -1 : 1,
  );
  const trace = await open();
  for (let step = 0; step < 12; step += 1) await trace.page.keyboard.press("j");
  await trace.page.keyboard.press("Enter");
  const { drawer } = trace;
  await drawer.getByRole("heading", { name: "SELECT products" }).waitFor();
  await drawer.getByText("call 3 of 11").waitFor();
  expect((await drawer.getByRole("definition").allInnerTexts()).slice(0, 4).map(plain)).toEqual([
    "78 ms",
    "78 ms",
    "78 ms",
    "7.4 %",
  ]);
  await drawer.getByText("Seq Scan on products").waitFor();
  await drawer.getByRole("tab", { name: /^Events 2/ }).click();
  await drawer.getByText("connection acquired").waitFor();
  await drawer.getByRole("tab", { name: /^Resource 4/ }).click();
  await drawer.getByText("8121").waitFor();

  const logs = drawer.getByRole("region", { name: "Logs in this span" });
  await logs.getByText(/slow query 78 ms/).waitFor();
  expect(await logs.getByRole("listitem").count()).toBe(3);
  const host = drawer.getByRole("region", { name: "db-1 during the span" });
  await host.getByRole("img", { name: /^Pressure of db-1\. 3 series/ }).waitFor();

  const link = trace.page.url();
  await logs.getByRole("link", { name: "Open in Logs" }).click();
  await expect
    .poll(() => trace.page.url())
    .toContain(`/logs?query=trace_id%3A${checkoutId}+span_id%3A${new URL(link).searchParams.get("span")}`);
  await trace.page.goBack();
  await host.getByRole("link", { name: "Open host" }).click();
  await expect.poll(() => trace.page.url()).toContain("/hosts/db-1?from=2026-11-25T10%3A09%3A07");
  await trace.page.goto(link);
  await drawer.getByText("8121").waitFor();

  await drawer.getByRole("tab", { name: /^Links 1/ }).click();
  await drawer.getByRole("link", { name: /^trace 5b8efff7…c60c/ }).click();
  await expect.poll(() => trace.page.url()).toContain(`/traces/${otherId}?span=0102030405060708`);
});

test("called by leads to the caller; j goes on with the drawer open", async () => {
  const trace = await open();
  await trace.clickLine(1);
  await trace.drawer.getByRole("heading", { name: "auth.verify" }).waitFor();
  await trace.drawer.getByRole("button", { name: "POST /checkout" }).click();
  await trace.drawer.getByRole("heading", { name: "POST /checkout" }).waitFor();
  await trace.drawer.getByText("The program dropped 2 more attributes.").waitFor();
  await trace.page.keyboard.press("j");
  await trace.page.keyboard.press("j");
  await trace.drawer.getByRole("heading", { name: "PlaceOrder" }).waitFor();
});

test("an attribute leads to the traces that have it, too", async () => {
  const trace = await open(checkoutId);
  await trace.clickLine(0, 0.2);
  await trace.drawer.getByText("http.route").hover();
  await trace.drawer.getByRole("link", { name: 'Traces with http.route:"/checkout"' }).click();
  await expect.poll(() => trace.page.url()).toContain("/traces?query=http.route%3A%22%2Fcheckout%22");
});

test("a failed trace says what failed and why", async () => {
  const trace = await open(otherId);
  await trace.page.getByText("2 errors").waitFor();
  await trace.page.getByText("504", { exact: true }).waitFor();
  await trace.page.keyboard.press("/");
  await trace.page.keyboard.type("error");
  await trace.page.keyboard.press("Enter");
  await trace.page.keyboard.press("Enter");
  await trace.page.keyboard.press("Enter");
  await trace.find.evaluate((element) => (element as HTMLElement).blur());
  await trace.page.keyboard.press("n");
  await trace.page.keyboard.press("Enter");
  await trace.drawer
    .getByText(/The risk service answered 503|Deadline exceeded/)
    .first()
    .waitFor();
});

test("a missing parent is said, and what has no path has none", async () => {
  const trace = await open(orphansId);
  await trace.page.getByText("3 spans, 2 services, 2 hosts, 1 error, 2 without their parents").waitFor();
  await trace.line(/^consume invoices fulfil, consumer, parent missing/).waitFor();
  await trace.clickLine(0, 0.3);
  await trace.drawer.getByText(/^Its parent 00000000000000aa is not in this trace/).waitFor();
});

test("the flame graph: a click zooms, the address keeps it, Backspace shows all", async () => {
  const trace = await open();
  await trace.tab("Flame").click();
  const flame = trace.page.getByRole("application", { name: /^Flame graph, \d+ ways of calls/ });
  await flame.waitFor();
  const box = await flame.boundingBox();
  await trace.page.mouse.click((box?.x ?? 0) + 40, (box?.y ?? 0) + 2.5 * 22);
  await expect.poll(() => trace.params().get("frame")).toMatch(/^[0-9a-f]{16}$/);
  await flame.focus();
  await trace.page.keyboard.press("ArrowDown");
  await expect
    .poll(() =>
      trace.page.getByRole("status").filter({ hasText: "SELECT products, postgres, 11 spans" }).count(),
    )
    .toBe(1);
  await trace.page.keyboard.press("Backspace");
  await expect.poll(() => trace.params().get("frame")).toBe(null);
  await trace.page.goBack();
  await expect.poll(() => trace.params().get("frame")).not.toBe(null);
});

test("the table: by operation, sorted, opens the longest span", async () => {
  const trace = new TracePage((await openLogs()).page);
  await trace.page.goto(`/traces/${checkoutId}?tab=table`);
  const rows = trace.page.getByRole("table", { name: "Operations" }).getByRole("row");
  expect(plain(await rows.nth(1).innerText())).toMatch(
    /^SELECT products postgres 11 862 ms 862 ms 82.2 % 862 ms –/,
  );
  await trace.page.getByRole("columnheader").getByRole("button", { name: "Total" }).click();
  await expect.poll(() => rows.nth(1).innerText()).toContain("POST /checkout");
  expect(trace.params().get("sort")).toBe("total");
  await rows.getByRole("button", { name: "SELECT products" }).click();
  await trace.drawer.getByText("call 2 of 11").waitFor();
});

test("the id is copied, the whole downloaded", async () => {
  const trace = await open();
  await trace.page.getByRole("button", { name: "Copy id" }).click();
  await trace.page.getByText("Copied").waitFor();
  expect(await trace.page.evaluate("navigator.clipboard.readText()")).toBe(checkoutId);
  const downloading = trace.page.waitForEvent("download");
  await trace.page.getByRole("link", { name: "JSON" }).click();
  const download = await downloading;
  expect(download.suggestedFilename()).toBe(`trace-${checkoutId}.json`);
  expect(JSON.parse(await readFile(await download.path(), "utf8"))).toHaveProperty("resourceSpans");
});

test("what is not there, and what failed, say what to do", async () => {
  const { page } = await openLogs();
  await page.goto("/traces/ffffffffffffffffffffffffffffffff");
  await page.getByRole("heading", { name: "This trace is not here" }).waitFor();
  await page.getByRole("link", { name: "Search its logs" }).waitFor();
  server.failing.add(`/traces/${checkoutId}/view`);
  await page.goto(`/traces/${checkoutId}`);
  await page.getByRole("alert").filter({ hasText: "Too many searches run at once" }).waitFor();
  server.failing.clear();
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("treegrid").waitFor();
});

test("a span that is not there is said; the way back leads to the search", async () => {
  const { page } = await openLogs();
  await page.goto("/traces?order=slowest");
  await page.getByRole("table", { name: "Traces" }).getByRole("link").first().click();
  const trace = new TracePage(page);
  await trace.grid.waitFor();
  await page.getByRole("banner").getByRole("link", { name: "Traces" }).click();
  await expect.poll(() => page.url()).toContain("/traces?order=slowest");
  await trace.open(checkoutId, "?span=00000000000000ff");
  await page.getByText("Span 00000000000000ff is not in this trace.").waitFor();
  await page.getByRole("button", { name: "Forget it" }).click();
  await expect.poll(() => trace.params().get("span")).toBe(null);
});

test("times in the zone that is asked for", async () => {
  const trace = await open();
  await trace.page.getByRole("button", { name: /^10:14:07\.000 2026-11-25 UTC/ }).click();
  await trace.page.getByRole("button", { name: /^11:14:07\.000 2026-11-25 UTC\+01:00/ }).waitFor();
  expect(trace.params().get("zone")).toBe("local");
});

test("10,000 spans scroll without a stutter, 100,000 open", async () => {
  const trace = await open(largeId);
  await trace.page.getByRole("button", { name: "Open all" }).click();
  await expect.poll(() => trace.count()).toBe(10_000);
  const frames = await scrollFrames(trace);
  console.log(`scrolling 10,000 lines: a frame in ${frames.median} ms, 95 % within ${frames.p95} ms`);
  // What the machine is capable of when it does nothing else is 17; other work shares it.
  expect(frames.median).toBeLessThan(34);
  expect(frames.draw).toBeLessThan(12);
  expect(await trace.grid.getByRole("row").count()).toBeLessThan(60);

  const startMs = performance.now();
  await trace.open(hugeId);
  console.log(`100,000 spans were open after ${Math.round(performance.now() - startMs)} ms`);
  await trace.page.getByRole("button", { name: "Open all" }).click();
  await expect.poll(() => trace.count()).toBe(100_000);
  await trace.page.keyboard.press("/");
  await trace.page.keyboard.type("error");
  await trace.page.keyboard.press("Enter");
  await expect
    .poll(() => trace.page.getByRole("search").getByRole("status").innerText())
    .toMatch(/^1 of \d+/);
});

interface Frames {
  median: number;
  p95: number;
  /** Script time per frame. */
  draw: number;
}

async function scrollFrames(trace: TracePage): Promise<Frames> {
  return trace.grid.evaluate(async (element) => {
    const whole: number[] = [];
    const busy: number[] = [];
    let last = performance.now();
    for (let step = 0; step < 150; step += 1) {
      element.scrollTop += 140;
      await new Promise<void>((done) =>
        requestAnimationFrame(() => {
          const from = performance.now();
          // Behind the drawing, which was asked for in this frame too.
          requestAnimationFrame(() => done());
          busy.push(performance.now() - from);
        }),
      );
      const now = performance.now();
      whole.push((now - last) / 2);
      last = now;
    }
    const sorted = (list: number[]) => list.sort((a, b) => a - b);
    const at = (list: number[], share: number) =>
      Math.round((sorted(list)[Math.floor(list.length * share)] ?? 0) * 10) / 10;
    return { median: at(whole, 0.5), p95: at(whole, 0.95), draw: at(busy, 0.95) };
  });
}

test("g t and a pasted id come here", async () => {
  const logs = await openLogs();
  await logs.open();
  await logs.page.keyboard.press("g");
  await logs.page.keyboard.press("t");
  await logs.page.getByRole("heading", { name: "Traces", level: 1 }).waitFor();
  await logs.page.keyboard.press("Control+k");
  await logs.page.getByRole("dialog", { name: "Go to or search" }).waitFor();
  await logs.page.keyboard.type(checkoutId);
  await logs.page.keyboard.press("Enter");
  await new TracePage(logs.page).grid.waitFor();
  expect(logs.page.url()).toContain(`/traces/${checkoutId}`);
});

test("on a phone the drawer has the whole page", async () => {
  const { page } = await openLogs({ size: phone, touch: true });
  const trace = new TracePage(page);
  await trace.open(checkoutId);
  const box = await trace.grid.boundingBox();
  await page.touchscreen.tap((box?.x ?? 0) + 120, (box?.y ?? 0) + 26 + 28 * 1.5);
  await trace.drawer.getByRole("heading", { name: "auth.verify" }).waitFor();
  expect((await trace.drawer.boundingBox())?.width).toBe(390);
  await trace.drawer.getByRole("button", { name: "Close the span" }).tap();
  await expect.poll(() => trace.drawer.count()).toBe(0);
});

function plain(text: string): string {
  return text.replaceAll("\u00a0", " ").replace(/\s+/g, " ");
}
