// The way of a person on call through a slow request: which one, where its time went, what that span logged, what its
// host waited for, and back by the address.
import { randomBytes } from "node:crypto";
import { beforeAll, expect, test, vi } from "vitest";
import type { LogRecord } from "../src/api/logs";
import type { TracesAnswer } from "../src/api/traces";
import { checkout } from "../tests/fixture/traces";
import { api, promql } from "./environment";
import { sendRecords } from "./otlp";
import { newTrace, type SentTrace, sendTraces } from "./otlpTraces";
import { LogsPage } from "./pages/LogsPage";
import { TracePage } from "./pages/TracePage";
import { TracesPage } from "./pages/TracesPage";
import { check, signedIn, withBrowser } from "./session";

// Generous, because the whole way runs on real programs that other work may slow down.
const patience = { timeout: 20_000 };
const schemes = ["dark", "light"] as const;
/** A word of this run alone, which is every span's and record's service.namespace. */
const run = `run${randomBytes(6).toString("hex")}`;
const fastCount = 40;
/** Every way in begins with it: the whole requests of this run. */
const requests = `service.namespace:${run} root:true name:"POST /checkout"`;

let slow: SentTrace;
let host = "";

withBrowser();
beforeAll(async () => {
  // The host that the agent runs on has pressure to show.
  host = (await promql("max by (host_name) (system_uptime_seconds)"))[0]?.metric.host_name ?? "db-1";
  const nowMs = Date.now();
  const fast = Array.from({ length: fastCount }, (_, at) =>
    newTrace(nowMs - 600_000 + at * 12_000, checkout(at, 0.03, at % 10 === 3)),
  );
  slow = newTrace(nowMs - 90_000, checkout(1, 1, false));
  const marks = { "service.namespace": run };
  await sendTraces([...fast, slow], marks, (service) => (service === "postgres" ? host : `${service}-1`));
  await sendRecords(marks, slow.spans.filter(({ service }) => service === "postgres").map(slowQuery));
  await vi.waitUntil(async () => (await found(requests)) === fastCount + 1, patience);
}, 60_000);

function slowQuery(span: SentTrace["spans"][number]): LogRecord {
  const timestamp = new Date(slow.startMs + span.endNs / 1e6).toISOString();
  return {
    id: "",
    timestamp,
    observed_timestamp: timestamp,
    severity: "WARN",
    severity_number: 13,
    service: "catalog",
    host,
    body: `slow query ${Math.round((span.endNs - span.startNs) / 1e6)} ms: SELECT id, name, price FROM products`,
    attributes: {},
    resource: { "service.name": "catalog", "host.name": host },
    scope: null,
    trace_id: slow.id,
    span_id: span.id,
    event_name: null,
    flags: 1,
  };
}

/** How many traces of the last hour have a span that matches. */
async function found(query: string): Promise<number> {
  const answer = (await api(
    `/traces/search?${new URLSearchParams({ query, limit: "1000" })}`,
  )) as TracesAnswer;
  return answer.traces.length;
}

function address(query: string, more: Record<string, string> = {}): string {
  return `/traces?${new URLSearchParams({ query, ...more })}`;
}

test("the slowest request is found, its path read, a span opened, its logs and its host seen, and all of it shared", async () => {
  const { page } = await signedIn(address(`service.namespace:${run}`));
  const traces = new TracesPage(page);
  await expect.poll(() => traces.matched(), patience).toBe(fastCount + 1);
  await traces.search(requests);
  await expect.poll(() => traces.matched(), patience).toBe(fastCount + 1);
  await traces.order("Slowest").click();
  await expect
    .poll(() => traces.rows.first().innerText(), patience)
    .toMatch(/POST \/checkout[\s\S]*1\.05\ss/);
  await traces.rows.first().getByRole("link", { name: "POST /checkout" }).first().click();

  const trace = new TracePage(page);
  await page.getByRole("heading", { name: "edge POST /checkout" }).waitFor(patience);
  expect(page.url()).toContain(`/traces/${slow.id}`);
  await page.getByText("42 spans, 9 services").waitFor();
  // The database's eleven queries are what the request waited for.
  expect(await page.getByTitle(/^postgres: \d+\sms of the path/).innerText()).toMatch(/8[0-4](\.\d)?\s%/);
  await trace.line(/^7 more SELECTs/).waitFor(patience);

  await page.keyboard.press("/");
  await page.keyboard.type("select");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await trace.find.evaluate((element) => (element as HTMLElement).blur());
  await page.keyboard.press("Enter");
  await trace.drawer.getByRole("heading", { name: "SELECT products" }).waitFor(patience);
  await trace.drawer.getByText("call 2 of 11").waitFor();
  await trace.drawer.getByText("Seq Scan on products").waitFor(patience);
  await trace.drawer.getByText(/slow query 82 ms/).waitFor(patience);
  await trace.drawer
    .getByRole("region", { name: `${host} during the span` })
    .getByRole("img")
    .waitFor(patience);
  const link = page.url();
  const told = await trace.drawer.getByRole("definition").allInnerTexts();

  await trace.drawer.getByRole("link", { name: "Open in Logs" }).click();
  const logs = new LogsPage(page);
  await expect.poll(() => logs.matched(), patience).toBe(1);
  await logs.row(/slow query 82 ms/).waitFor(patience);
  await page.goBack();
  await trace.drawer.getByText(/slow query 82 ms/).waitFor(patience);
  await trace.drawer.getByRole("link", { name: "Open host" }).click();
  await page.getByRole("heading", { level: 1, name: host }).waitFor(patience);

  const colleague = await signedIn(link);
  const shared = new TracePage(colleague.page);
  await expect.poll(() => shared.drawer.getByRole("definition").allInnerTexts(), patience).toEqual(told);
  expect(await shared.find.inputValue()).toBe("select");
});

test("a failed span is found by its status, and says what happened", async () => {
  const { page } = await signedIn(address(`service.namespace:${run} status:error event:exception`));
  const traces = new TracesPage(page);
  await expect.poll(() => traces.matched(), patience).toBe(fastCount / 10);
  await traces.rows.first().getByRole("link", { name: "risk.score" }).click();
  const trace = new TracePage(page);
  await trace.drawer.getByText("The risk service answered 503").waitFor(patience);
  await trace.drawer.getByRole("tab", { name: /^Events 1/ }).click();
  await trace.drawer.getByText("RiskUnavailable", { exact: true }).waitFor();
});

test("facets count spans and narrow the traces", async () => {
  const { page } = await signedIn(address(`service.namespace:${run}`));
  const traces = new TracesPage(page);
  await page
    .getByRole("region", { name: "Facet service" })
    .getByRole("checkbox", { name: /^fulfil, 41 spans/ })
    .click(patience);
  await expect.poll(() => traces.query.inputValue()).toBe(`service.namespace:${run} service:fulfil`);
  await expect.poll(() => traces.matched(), patience).toBe(fastCount + 1);
});

test("a pasted id opens the trace, a flame graph and a table show it, too", async () => {
  const { page } = await signedIn();
  await page.getByText("Go to or search").first().waitFor(patience);
  await page.keyboard.press("Control+k");
  await page.getByRole("dialog", { name: "Go to or search" }).waitFor(patience);
  await page.keyboard.type(slow.id);
  await page.keyboard.press("Enter");
  const trace = new TracePage(page);
  await trace.grid.waitFor(patience);
  await trace.tab("Flame").click();
  await page.getByRole("application", { name: /^Flame graph/ }).waitFor();
  await trace.tab("Table").click();
  const rows = page.getByRole("table", { name: "Operations" }).getByRole("row");
  expect(await rows.nth(1).innerText()).toMatch(/^SELECT products\s+postgres\s+11/);
});

test.each(schemes)("in %s colours nothing is cut and axe finds nothing on the way", async (scheme) => {
  const { page } = await signedIn(address(requests, { order: "slowest" }), { scheme });
  const traces = new TracesPage(page);
  await expect.poll(() => traces.matched(), patience).toBe(fastCount + 1);
  await page.mouse.move(720, 24);
  await check(page, `e2e-traces-${scheme}`);
  const trace = new TracePage(page);
  const query = slow.spans.find(({ name }) => name === "SELECT products")?.id;
  await trace.open(slow.id, `?span=${query}`);
  await trace.drawer.getByText(/slow query 78 ms/).waitFor(patience);
  await page.mouse.move(720, 24);
  await check(page, `e2e-trace-${scheme}`);
});
