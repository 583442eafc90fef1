// The built page as a real collector serves it, with records that came through OTLP and through an agent's file.
import { randomBytes } from "node:crypto";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { api, appendLine, collectorUrl, password } from "./environment";
import { sendBusyShop, sendShop } from "./otlp";
import { axeViolations, desktop, laptop, launch, openPage, overflowPx, phone, shoot } from "./pages/browser";
import { LoginPage } from "./pages/LoginPage";
import { LogsPage } from "./pages/LogsPage";

const run = `run${randomBytes(6).toString("hex")}`;
const shopSize = 6000;
let browser: Browser;
let closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  browser = await launch();
});
afterEach(async () => {
  for (const close of closing) await close();
  closing = [];
});
afterAll(async () => {
  await browser.close();
});

interface Open {
  size?: { width: number; height: number };
  scheme?: "dark" | "light";
}

async function signedOut(options: Open = {}): Promise<Page> {
  const { page, complaints } = await openPage(browser, collectorUrl, options);
  closing.push(async () => {
    await page.context().close();
    expect(complaints).toEqual([]);
  });
  return page;
}

async function signedIn(address = "/logs", options: Open = {}): Promise<LogsPage> {
  const page = await signedOut(options);
  await page.goto(address);
  await new LoginPage(page).signIn("admin", password);
  return new LogsPage(page);
}

async function recordCount(): Promise<number> {
  return ((await api("/status")) as { logs: { records: number } }).logs.records;
}

async function matchedBy(query: string): Promise<number> {
  const answer = await api(`/logs/search?${new URLSearchParams({ query, limit: "1" })}`);
  return (answer as { matched: number }).matched;
}

function address(query: string, more: Record<string, string> = {}): string {
  return `/logs?${new URLSearchParams({ query, ...more })}`;
}

test("the first visit asks for a password, refuses a wrong one and lets the right one in", async () => {
  const page = await signedOut();
  await page.goto("/logs");
  const login = new LoginPage(page);
  await login.heading.waitFor();
  expect(await axeViolations(page)).toEqual([]);
  await shoot(page, "login-dark");
  await login.signIn("admin", `not ${password}`);
  await expect.poll(() => login.error.textContent()).toContain("User or password is wrong.");
  await login.signIn("admin", password);
  await page.getByRole("heading", { name: "Logs", level: 1 }).waitFor();
});

test("before the first record it tells how to send, and shows the first one arrive", async (context) => {
  if ((await recordCount()) > 0) context.skip("this tenant already has records");
  const logs = await signedIn();
  await logs.page.getByRole("heading", { name: "Send your first data" }).waitFor();
  expect(await axeViolations(logs.page)).toEqual([]);
  await shoot(logs.page, "first-dark-1440");
  appendLine(`first line of ${run}`);
  await logs.page.getByRole("button", { name: "Open logs" }).click({ timeout: 15_000 });
  await logs.row(`first line of ${run}`).waitFor();
});

test("a line appended to a followed file is on the page within 5 s", async () => {
  await sendShop({ run: `${run}-warm` }, 1);
  const logs = await signedIn();
  await logs.query.waitFor();
  const word = `needle${run}`;
  appendLine(`connection refused ${word}`);
  const startMs = performance.now();
  await logs.search(word);
  while (!(await logs.row(word).first().isVisible())) {
    if (performance.now() - startMs > 5000) throw new Error("the line was not there after 5 s");
    await logs.run.click();
    await logs.page.waitForTimeout(150);
  }
  console.log(`the appended line was on the page after ${Math.round(performance.now() - startMs)} ms`);
});

test("records sent over OTLP are all found, paged to the last, zoomed into and opened", async () => {
  await sendShop({ run }, shopSize);
  const logs = await signedIn(address(`run:${run}`, { from: "now-2h", to: "now" }));
  await expect.poll(() => logs.matched(), { timeout: 10_000 }).toBe(shopSize);

  const seen = new Set<string | null>();
  for (let step = 0; step < 400 && !seen.has(String(shopSize + 1)); step += 1) {
    await logs.scrollBy(12_000);
    await logs.page.waitForTimeout(100);
    for (const row of await logs.rows.all()) {
      seen.add(await row.getAttribute("aria-rowindex", { timeout: 500 }).catch(() => null));
    }
  }
  expect(seen.has(String(shopSize + 1))).toBe(true);

  await logs.dragHistogram(0.6, 0.7);
  await expect.poll(() => logs.matched()).toBeLessThan(shopSize);
  expect(logs.page.url()).toMatch(/from=20\d\d-/);
});

test("a record opens, its values become conditions, and the address restores all of it", async () => {
  const logs = await signedIn(address(`run:${run} deadline`));
  await logs
    .row(/deadline exceeded/)
    .first()
    .click();
  await logs.record.getByText('"DeadlineExceeded"').hover();
  await logs.record.getByRole("button", { name: "Filter by error.type:DeadlineExceeded" }).click();
  await expect.poll(() => logs.query.inputValue()).toContain("error.type:DeadlineExceeded");
  await logs.rows.nth(1).click();
  await logs.record.waitFor();
  const text = await logs.record.innerText();
  const matched = await logs.matched();
  const link = logs.page.url();
  await logs.page.goto("about:blank");
  await logs.page.goto(link);
  await expect.poll(() => logs.record.innerText()).toBe(text);
  expect(await logs.matched()).toBe(matched);
});

test("an error in the query is underlined where it is", async () => {
  const logs = await signedIn();
  await logs.search("sku | feilds service");
  await expect.poll(() => logs.underlined.textContent()).toBe("feilds");
  expect(await logs.queryError.textContent()).not.toBe("");
  expect(await axeViolations(logs.page)).toEqual([]);
  await shoot(logs.page, "query-error-dark-1440");
});

test("stages give a table", async () => {
  const logs = await signedIn(address(`run:${run} | top 10 service`));
  const table = logs.page.getByRole("table", { name: "Result" });
  await table.waitFor();
  expect(await table.getByRole("row").count()).toBe(4);
  await logs.search(`run:${run} severity>=warn | stats count() by (service, bin(1m))`);
  await logs.page.getByRole("tab", { name: /^Result\d+ rows/ }).waitFor();
  expect(await axeViolations(logs.page)).toEqual([]);
  await shoot(logs.page, "table-dark-1440");
});

test("a dark page becomes light and stays so", async () => {
  const logs = await signedIn();
  await logs.query.waitFor();
  await logs.setScheme("Light");
  await logs.page.reload();
  await logs.query.waitFor();
  expect(await logs.page.evaluate("getComputedStyle(document.body).backgroundColor")).toBe(
    "rgb(245, 246, 248)",
  );
});

test.each([
  ["1440", desktop],
  ["1280", laptop],
  ["390", phone],
] as const)("at %s px nothing is cut and axe finds nothing, in both schemes", async (name, size) => {
  for (const scheme of ["dark", "light"] as const) {
    const logs = await signedIn(address(`run:${run} severity>=info "sku"`), { size, scheme });
    await logs.rows.first().waitFor();
    await check(logs.page, `logs-${scheme}-${name}`);
    await logs
      .row(/deadline/)
      .first()
      .click();
    await logs.record.waitFor();
    await check(logs.page, `record-${scheme}-${name}`);
    await logs.page.goto("/status");
    await logs.page.getByRole("heading", { name: "Agents" }).waitFor();
    await check(logs.page, `status-${scheme}-${name}`);
  }
});

test("the pictures for the documentation", async (context) => {
  if (!process.env.NARROWS_SHOTS) context.skip("NARROWS_SHOTS names no folder");
  const namespace = "shop";
  const before = await matchedBy(`service.namespace:${namespace}`);
  const sent = await sendBusyShop({ "service.namespace": namespace });
  await expect
    .poll(() => matchedBy(`service.namespace:${namespace}`), { timeout: 10_000 })
    .toBeGreaterThan(before + sent * 0.99); // the oldest leave the hour meanwhile
  const view = address(`service.namespace:${namespace} severity>=debug (sku OR items)`);
  for (const scheme of ["dark", "light"] as const) {
    const logs = await signedIn(view, { scheme });
    await logs.row(/sku/).first().waitFor();
    await logs.page.mouse.move(720, 24);
    await check(logs.page, `logs-${scheme}`);
    if (scheme === "light") continue;
    await logs
      .row(/deadline/)
      .first()
      .click();
    await logs.record.waitFor();
    await logs.scrollBy(264); // twelve rows, so that some stand on both sides of the record
    await logs.page.mouse.move(720, 24);
    await check(logs.page, `record-${scheme}`);
  }
});

async function check(page: Page, name: string): Promise<void> {
  await page.waitForTimeout(100);
  await shoot(page, name);
  expect(await overflowPx(page)).toBe(0);
  expect(await axeViolations(page)).toEqual([]);
}
