import { expect, test } from "vitest";
import type { LogsPage } from "../e2e/pages/LogsPage";
import type { LogRecord } from "../src/api/logs";
import { fixtureNowMs } from "./fixture/records";
import { openLogs, server, withFixture, withQuery } from "./harness";

withFixture();

const grid = (logs: LogsPage) => logs.page.getByRole("treegrid", { name: "Live records" });
const rows = (logs: LogsPage) => grid(logs).locator('[role="row"][aria-expanded]');
const status = (logs: LogsPage) =>
  logs.page.getByRole("status").filter({ hasText: /Live|Paused|lost|Connecting/ });
const below = (logs: LogsPage) => logs.page.getByRole("button", { name: /new below/ });

let next = 0;
function some(count: number, word = "tick"): LogRecord[] {
  const shape = server.records.at(-1);
  if (!shape) throw new Error("the fixture has no records");
  return Array.from({ length: count }, () => {
    next += 1;
    return { ...shape, id: `5-${next.toString(16)}`, body: `${word} ${next}` };
  });
}

async function openLive(query = "*"): Promise<LogsPage> {
  const logs = await openLogs();
  await logs.open(withQuery(query, { live: "1" }));
  await expect.poll(() => server.live.connections).toBe(1);
  await status(logs).filter({ hasText: "Live" }).waitFor();
  // Away from the rows, where a pointer would hold them.
  await logs.page.mouse.move(600, 20);
  return logs;
}

/** Is the last record in view? */
function atEnd(logs: LogsPage): Promise<boolean> {
  return grid(logs).evaluate(
    (element) => element.scrollHeight - element.scrollTop - element.clientHeight < 22,
  );
}

test("L starts it, records come in order at the end, L stops it; it is in the address", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("tick"));
  await logs.page.keyboard.press("Shift+L");
  await expect.poll(() => server.live.opened).toEqual(["tick"]);
  expect(logs.page.url()).toContain("live=1");
  await logs.page.getByRole("heading", { name: "Nothing has arrived yet" }).waitFor();
  server.live.push(some(3));
  await expect.poll(() => rows(logs).count()).toBe(3);
  const bodies = await rows(logs).allInnerTexts();
  expect(bodies.map((text) => Number(/tick (\d+)/.exec(text)?.[1]))).toEqual([next - 2, next - 1, next]);
  expect(await rows(logs).last().locator("mark").textContent()).toBe("tick");
  await logs.page.getByText("3 records arrived").waitFor();
  await logs.page.keyboard.press("l");
  await expect.poll(() => server.live.connections).toBe(0);
  await logs.histogram.waitFor();
  expect(logs.page.url()).not.toContain("live=");
});

test("the search after it reaches to its end, so that what it has shown is found", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("sku"));
  await logs.rows.first().waitFor();
  await logs.page.keyboard.press("Shift+L");
  await status(logs).filter({ hasText: "Live" }).waitFor();
  await logs.page.clock.setFixedTime(fixtureNowMs + 60_000);
  await logs.page.getByRole("button", { name: "Stop" }).click();
  const ends = () =>
    server.requests
      .filter((request) => request.startsWith("/logs/search"))
      .map((request) => new URLSearchParams(request.split("?")[1]).get("end"));
  await expect.poll(() => ends().at(-1)).toBe("2026-11-25T10:18:40.000Z");
});

test("the header says that it is live and since when, in place of a range; a range ends it", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("sku"));
  await logs.rows.first().waitFor();
  await logs.page.clock.setFixedTime(fixtureNowMs + 20_000);
  await logs.page.keyboard.press("Shift+L");
  await status(logs).filter({ hasText: "Live" }).waitFor();
  expect(await logs.rangeButton.innerText()).toMatch(/Live\s+since 10:18:00 UTC/);
  expect(await logs.page.getByRole("button", { name: /^Zoom out/ }).count()).toBe(0);
  // A new query starts with no rows: it is live since then.
  await logs.page.clock.setFixedTime(fixtureNowMs + 50_000);
  await logs.page.getByRole("button", { name: "Pause" }).click();
  await expect.poll(() => logs.rangeButton.innerText()).toMatch(/Paused\s+since 10:18:00 UTC/);
  await logs.search("tick");
  await expect.poll(() => logs.rangeButton.innerText()).toMatch(/Paused\s+since 10:18:30 UTC/);
  await logs.chooseRange("Last 15 min");
  await expect.poll(() => logs.rangeButton.innerText()).toMatch(/Last\s15\smin\s+10:03:30 –/);
  expect(logs.page.url()).not.toContain("live=");
  // Started again it does not wait.
  await logs.page.keyboard.press("Shift+L");
  await expect.poll(() => logs.rangeButton.innerText()).toMatch(/Live\s+since/);
});

test("g l is not l", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("sku"));
  await logs.rows.first().waitFor();
  await logs.page.keyboard.press("g");
  await logs.page.keyboard.press("l");
  await expect.poll(() => logs.query.inputValue()).toBe("");
  expect(logs.page.url()).not.toContain("live=");
});

test("keeps the last 2,000 and the end in view; what the collector left out is said", async () => {
  const logs = await openLive();
  for (let batch = 0; batch < 6; batch += 1) server.live.push(some(500), batch === 5 ? 32 : 0);
  await logs.page.getByText(/3,000 records arrived, the last 2,000 kept/).waitFor();
  await logs.page.getByText("32 records left out").waitFor();
  expect(await grid(logs).getAttribute("aria-rowcount")).toBe("2000");
  expect(await rows(logs).last().innerText()).toContain(`tick ${next}`);
  expect(await atEnd(logs)).toBe(true);
  expect(await rows(logs).count()).toBeLessThan(80);
});

test("scrolling up stops following: nothing moves, and a button leads to what is new below", async () => {
  const logs = await openLive();
  server.live.push(some(1500));
  await expect.poll(() => rows(logs).last().innerText()).toContain(`tick ${next}`);
  await grid(logs).evaluate((element) => element.scrollBy(0, -2000));
  await logs.page.waitForTimeout(200);
  const first = await rows(logs).first().innerText();
  const top = (await rows(logs).first().boundingBox())?.y;
  server.live.push(some(120));
  await expect.poll(() => below(logs).textContent()).toBe("120 new below");
  expect(await rows(logs).first().innerText()).toBe(first);
  expect((await rows(logs).first().boundingBox())?.y).toBe(top);

  // More than is kept: still nothing moves, and what is lost is said.
  server.live.push(some(2600));
  await expect.poll(() => below(logs).textContent()).toBe("2,720 new below, 220 skipped");
  expect(await rows(logs).first().innerText()).toBe(first);
  await below(logs).click();
  await expect.poll(() => rows(logs).last().innerText()).toContain(`tick ${next}`);
  await logs.page.mouse.move(600, 20);
  server.live.push(some(1));
  await expect.poll(() => rows(logs).last().innerText()).toContain(`tick ${next}`);
  expect(await below(logs).count()).toBe(0);
});

test("rows do not move under a pointer; they do when it leaves", async () => {
  const logs = await openLive();
  server.live.push(some(300));
  await expect.poll(() => rows(logs).last().innerText()).toContain(`tick ${next}`);
  const target = rows(logs).nth(20);
  await target.hover();
  const [text, box] = [await target.innerText(), await target.boundingBox()];
  server.live.push(some(40));
  await expect.poll(() => below(logs).textContent()).toBe("40 new below");
  const same = rows(logs).filter({ hasText: /tick \d+/.exec(text)?.[0] ?? "" });
  expect((await same.first().boundingBox())?.y).toBe(box?.y);
  await logs.page.mouse.move(600, 20);
  await expect.poll(() => atEnd(logs)).toBe(true);
  await expect.poll(() => rows(logs).last().innerText()).toContain(`tick ${next}`);
  expect(await below(logs).count()).toBe(0);
});

test("a record opens in place and holds the rows; Esc closes it", async () => {
  const logs = await openLive();
  server.live.push(some(50));
  await expect.poll(() => rows(logs).count()).toBeGreaterThan(10);
  await rows(logs).nth(3).click();
  await logs.record.waitFor();
  server.live.push(some(10));
  await below(logs).waitFor();
  await logs.page.keyboard.press("Escape");
  await expect.poll(() => logs.record.count()).toBe(0);
});

test("pause and resume are said to the collector; clear takes the rows away", async () => {
  const logs = await openLive();
  server.live.push(some(2));
  await expect.poll(() => rows(logs).count()).toBe(2);
  await logs.page.getByRole("button", { name: "Pause" }).click();
  await status(logs).filter({ hasText: "Paused" }).waitFor();
  await logs.page.getByRole("button", { name: "Resume" }).click();
  await expect.poll(() => server.live.messages.map(({ type }) => type)).toEqual(["pause", "resume"]);
  await logs.page.getByRole("button", { name: "Clear", exact: true }).click();
  await logs.page.getByRole("heading", { name: "Nothing has arrived yet" }).waitFor();
});

test("a new query goes over the same connection and starts with no rows", async () => {
  const logs = await openLive("tick");
  server.live.push(some(2));
  await expect.poll(() => rows(logs).count()).toBe(2);
  await logs.search("service:cart");
  await expect.poll(() => server.live.messages).toEqual([{ type: "query", query: "service:cart" }]);
  await logs.page.getByRole("heading", { name: "Nothing has arrived yet" }).waitFor();
  server.live.push(some(1, "other"));
  await expect.poll(() => rows(logs).allInnerTexts()).toEqual([expect.stringContaining("other")]);
  expect(server.live.opened.length).toBe(1);
});

test("after a loss it connects again by itself and says so; the rows stay", async () => {
  const logs = await openLive();
  server.live.push(some(2));
  await expect.poll(() => rows(logs).count()).toBe(2);
  server.live.refusal = { status: 503, code: "stopping", message: "the collector stops" };
  server.live.cut();
  await status(logs).filter({ hasText: "Connection lost, trying again" }).waitFor();
  await logs.page.getByText("The collector stops.").waitFor();
  expect(await rows(logs).count()).toBe(2);
  server.live.refusal = null;
  await logs.page.getByRole("button", { name: "Try now" }).click();
  await status(logs)
    .filter({ hasText: /^Live$/ })
    .waitFor();
  server.live.cut();
  await expect.poll(() => server.live.opened.length).toBe(3);
  expect(server.live.after).toEqual([null, "0-2", "0-2"]);
  await status(logs)
    .filter({ hasText: /^Live$/ })
    .waitFor();
  server.live.push(some(1));
  await expect.poll(() => rows(logs).count()).toBe(3);
});

test("a query with stages is refused with the reason, and goes on without them", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("tick | top 10 service", { live: "1" }));
  const alert = logs.page.getByRole("alert");
  await alert.waitFor();
  expect(await alert.textContent()).toContain("A live tail has no stages");
  expect(server.live.opened.length).toBe(1);
  await logs.page.getByRole("button", { name: "Follow without the stages" }).click();
  await status(logs)
    .filter({ hasText: /^Live$/ })
    .waitFor();
  expect(await logs.query.inputValue()).toBe("tick");
});

test("a session that has ended leads to the login", async () => {
  const logs = await openLive();
  server.endSession();
  server.live.refusal = { status: 401, code: "unauthenticated", message: "sign in first" };
  server.live.cut();
  await logs.page.getByRole("heading", { name: "Sign in to Narrows" }).waitFor();
});

test("500 records a second keep the page quick", async () => {
  const logs = await openLive();
  const timer = setInterval(() => server.live.push(some(50)), 100);
  await logs.page.waitForTimeout(1000);
  const frames = (await logs.page.evaluate(
    "new Promise((done) => { let n = 0; const end = performance.now() + 2000; const f = () => { n += 1; performance.now() < end ? requestAnimationFrame(f) : done(n); }; requestAnimationFrame(f); })",
  )) as number;
  const metrics = await logs.page.context().newCDPSession(logs.page);
  await metrics.send("Performance.enable");
  const busy = async () => {
    const { metrics: list } = await metrics.send("Performance.getMetrics");
    return list.find(({ name }) => name === "TaskDuration")?.value ?? 0;
  };
  const before = await busy();
  await logs.page.waitForTimeout(3000);
  const share = ((await busy()) - before) / 3;
  clearInterval(timer);
  console.log(`live tail at 500/s: ${(share * 100).toFixed(0)} % of one core, ${frames / 2} frames/s`);
  // Drawing at most ten times a second leaves the rest of the second free, also on a busy machine.
  expect(share).toBeLessThan(0.8);
});
