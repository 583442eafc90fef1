import { expect, test } from "vitest";
import { phone } from "../e2e/pages/browser";
import type { LogsPage } from "../e2e/pages/LogsPage";
import { openLogs, server, withFixture, withQuery } from "./harness";

withFixture();

const grid = (logs: LogsPage) => logs.page.getByRole("treegrid", { name: "Patterns" });
const rows = (logs: LogsPage) => grid(logs).locator('[role="row"][aria-expanded]');
const row = (logs: LogsPage, text: string) => rows(logs).filter({ hasText: text });

async function openPatterns(logs: LogsPage, more: Record<string, string> = {}): Promise<void> {
  await logs.open(withQuery("*", { tab: "patterns", ...more }));
  await rows(logs).first().waitFor();
}

test("a tab beside the records: templates with counts, shares, severities, services and what is new", async () => {
  const logs = await openLogs({ size: { width: 1920, height: 1080 } });
  await logs.open();
  await logs.rows.first().waitFor();
  await logs.page.getByRole("tab", { name: /^Patterns/ }).click();
  await rows(logs).first().waitFor();
  expect(new URL(logs.page.url()).searchParams.get("tab")).toBe("patterns");
  expect(
    await logs.page.getByRole("tab", { name: /^Patterns\s?5\s?1 new/ }).getAttribute("aria-selected"),
  ).toBe("true");
  await logs.page.getByText("5 patterns, 100 % of 12,000 records").waitFor();
  expect(await rows(logs).count()).toBe(5);
  const slow = row(logs, "slow query <num> ms");
  expect(await slow.innerText()).toMatch(
    /887\s+7\.4\s%\s+slow query <num> ms.*\s+warn\s+catalog\s+2026-11-22/s,
  );
  const deadline = row(logs, "deadline exceeded");
  expect(await deadline.innerText()).toMatch(/204\s+1\.7\s%.*error\s+checkout\s+10:0\d:\d\d\s+new/s);
  expect(await deadline.getByRole("img", { name: /^Most at 10:\d\d:\d\d: \d+$/ }).count()).toBe(1);
});

test("how many there are and how many are new is known beside the records; a query that fails has no number", async () => {
  const logs = await openLogs();
  await logs.open();
  await logs.rows.first().waitFor();
  await logs.page.getByRole("tab", { name: /^Patterns\s?5\s?1 new/ }).waitFor();
  await logs.search("placed");
  await logs.page.getByRole("tab", { name: /^Patterns\s?1$/ }).waitFor();
  await logs.search("state:error");
  await expect.poll(() => logs.page.getByRole("tab", { name: /^Patterns/ }).innerText()).toBe("Patterns");
});

test("a facet of the most frequent ones by what they say; chosen ones stay in sight", async () => {
  const logs = await openLogs();
  await logs.open();
  await logs.facetValue("pattern", "deadline exceeded after").waitFor();
  const names = await logs.facet("pattern").getByRole("checkbox").allInnerTexts();
  expect(names[0]).toMatch(/^GET \/products <num> in <num> ms/);
  await logs.facetValue("pattern", "deadline exceeded after").click();
  await expect.poll(() => logs.matched()).toBe(204);
  expect(await logs.query.inputValue()).toMatch(/^pattern:"?[0-9a-f]{16}"?$/);
  expect(await logs.facetValue("pattern", "deadline exceeded after").getAttribute("aria-checked")).toBe(
    "true",
  );
  // The others are counted as if none were chosen; the tab's number is that of the query.
  await logs.facetValue("pattern", "slow query").waitFor();
  await logs.page.getByRole("tab", { name: /^Patterns\s?1/ }).waitFor();
  await logs.facetValue("pattern", "slow query").click();
  await expect.poll(() => logs.matched()).toBe(204 + 887);
  await logs.facet("pattern").getByRole("button", { name: "Clear pattern" }).click();
  await expect.poll(() => logs.query.inputValue()).toBe("");

  await logs.facetValue("pattern", "cart <num> validated").hover();
  await logs
    .facet("pattern")
    .getByRole("button", { name: /^Exclude cart/ })
    .click();
  await expect.poll(() => logs.query.inputValue()).toMatch(/^-pattern:/);
  await logs.facetValue("pattern", "cart <num> validated, <num> items, excluded").waitFor();
});

test("the arrow keys change the tab", async () => {
  const logs = await openLogs();
  await logs.open();
  await logs.page.getByRole("tab", { name: /^Records/ }).focus();
  await logs.page.keyboard.press("ArrowRight");
  await rows(logs).first().waitFor();
  await logs.page.keyboard.press("ArrowLeft");
  await logs.rows.first().waitFor();
  expect(logs.page.url()).not.toContain("tab=");
});

test("sorted by count, newest or worst severity; only what is new; all of it in the address", async () => {
  const logs = await openLogs();
  await openPatterns(logs);
  expect(await rows(logs).first().innerText()).toContain("GET /products");
  await logs.page.getByRole("group", { name: "Sort by" }).getByRole("button", { name: "Newest" }).click();
  await expect.poll(() => rows(logs).first().innerText()).toContain("deadline exceeded");
  await logs.page.getByRole("group", { name: "Sort by" }).getByRole("button", { name: "Severity" }).click();
  await expect.poll(() => rows(logs).nth(1).innerText()).toContain("slow query");
  await logs.page.getByRole("switch", { name: "Only new" }).check();
  await expect.poll(() => rows(logs).count()).toBe(1);
  await logs.page.reload();
  await row(logs, "deadline exceeded").waitFor();
  expect(await rows(logs).count()).toBe(1);
  const { searchParams } = new URL(logs.page.url());
  expect([searchParams.get("sort"), searchParams.get("new")]).toEqual(["severity", "1"]);
});

test("one click shows a pattern's records, another one leaves them out", async () => {
  const logs = await openLogs();
  await openPatterns(logs);
  await row(logs, "slow query").hover();
  await row(logs, "slow query")
    .getByRole("button", { name: /^Exclude pattern:/ })
    .click();
  await expect.poll(() => rows(logs).count()).toBe(4);
  expect(await logs.query.inputValue()).toMatch(/^-pattern:[0-9a-f]{16}$/);
  await row(logs, "deadline").hover();
  await row(logs, "deadline")
    .getByRole("button", { name: /^Filter by pattern:/ })
    .click();
  await expect.poll(() => logs.matched()).toBe(204);
  expect(await logs.rows.first().innerText()).toContain("deadline exceeded");
  expect(await logs.query.inputValue()).toMatch(/^-pattern:[0-9a-f]{16} pattern:[0-9a-f]{16}$/);
});

test("a pattern opens in place: what stands in its placeholders, and examples that open as records", async () => {
  const logs = await openLogs();
  await openPatterns(logs);
  await row(logs, "deadline").click();
  const first = grid(logs).getByRole("region", { name: "Placeholder 1" });
  await first.waitFor();
  expect(await first.innerText()).toMatch(/<num>\s+always the same\s+1000\s+204/);
  const sku = grid(logs).getByRole("region", { name: "Placeholder 2" });
  expect(await sku.innerText()).toMatch(/<\*>\s+\d+ values\s+[A-D]-\d{5}/);
  const example = grid(logs)
    .getByRole("region", { name: "Examples" })
    .getByRole("button", { name: /deadline/ })
    .first();
  await example.click();
  await grid(logs).getByText('"DeadlineExceeded"').waitFor();
  expect(logs.page.url()).toMatch(/pattern=[0-9a-f]{16}/);

  await logs.page.reload();
  await first.waitFor();
  await logs.page.keyboard.press("Escape");
  await expect.poll(() => first.count()).toBe(0);
});

test("the keyboard walks the patterns, opens one and filters by it", async () => {
  const logs = await openLogs();
  await openPatterns(logs);
  await logs.page.keyboard.press("j");
  await logs.page.keyboard.press("j");
  await logs.page.keyboard.press("Enter");
  await grid(logs).getByRole("region", { name: "Placeholder 1" }).waitFor();
  expect(await rows(logs).nth(1).getAttribute("aria-expanded")).toBe("true");
  await rows(logs)
    .nth(1)
    .getByRole("button", { name: /^Filter/ })
    .focus();
  await logs.page.keyboard.press("f");
  await expect.poll(() => logs.query.inputValue()).toMatch(/^pattern:/);
});

test("stages do not change what patterns are made of", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("sku | top 10 service", { tab: "patterns" }));
  await rows(logs).first().waitFor();
  const asked = server.requests.filter((request) => request.startsWith("/logs/patterns"));
  expect(new URLSearchParams(asked.at(-1)?.split("?")[1]).get("query")).toBe("sku");
});

test("what is slow is waited for, what is incomplete says so and why", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("state:slow", { tab: "patterns" }));
  await logs.page.getByRole("status").filter({ hasText: "Searching" }).waitFor();
  await logs.open(withQuery("state:partial", { tab: "patterns" }));
  await rows(logs).first().waitFor();
  await logs.page
    .getByText("What came is shown. 1 file is damaged and was left out: 0-000017.split.")
    .waitFor();
});

test("nothing, an error, and nothing new say what and what next", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("nothingofthekind", { tab: "patterns" }));
  await logs.page.getByRole("heading", { name: "No patterns" }).waitFor();

  await logs.open(withQuery("state:error", { tab: "patterns" }));
  await expect
    .poll(() => logs.page.getByRole("alert").first().textContent())
    .toContain("took longer than 30 s");

  await logs.open(withQuery("placed", { tab: "patterns", new: "1" }));
  await logs.page.getByRole("heading", { name: "No pattern is new in this time range" }).waitFor();
  await logs.page.getByRole("button", { name: "Show all 1" }).click();
  await row(logs, "order <num> placed").waitFor();
});

test("on a phone a pattern is a card, and its actions are in what opens", async () => {
  const logs = await openLogs({ size: phone, touch: true });
  await openPatterns(logs);
  await row(logs, "deadline").tap();
  await grid(logs).getByRole("button", { name: "Show its records" }).tap();
  await expect.poll(() => logs.matched()).toBe(204);
});

test("a download is one link with the query and the range", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("deadline", { order: "oldest", columns: "service,body,http.route" }));
  await logs.page.getByRole("button", { name: "Download" }).click();
  await logs.page.getByText("The records, at most 1,000,000").waitFor();
  const csv = await logs.page.getByRole("link", { name: /^CSV/ }).getAttribute("href");
  const params = new URL(csv ?? "", "http://x").searchParams;
  expect(Object.fromEntries(params)).toEqual({
    query: "deadline",
    start: "2026-11-25T09:17:40.000Z",
    end: "2026-11-25T10:17:40.000Z",
    order: "oldest",
    format: "csv",
    limit: "1000000",
    fields: "http.route",
  });
  const downloading = logs.page.waitForEvent("download");
  await logs.page.getByRole("link", { name: /^NDJSON/ }).click();
  expect((await downloading).suggestedFilename()).toBe("logs.ndjson");
});
