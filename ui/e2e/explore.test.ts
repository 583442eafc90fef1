// The way of a person on call through the log explorer, from "what is new?" to a link for a colleague.
import { readFile } from "node:fs/promises";
import type { Locator } from "playwright-core";
import { beforeAll, expect, test, vi } from "vitest";
import { appendLine } from "./environment";
import type { LogsPage } from "./pages/LogsPage";
import { address, check, matchedBy, signedIn, withBrowser } from "./session";
import { type Story, sendMore, sendStory } from "./story";

// Generous, because the whole way runs on real programs that other work may slow down.
const patience = { timeout: 20_000 };
const lastQuarter = { from: "now-15m", to: "now" };
const schemes = ["dark", "light"] as const;

let story: Story;

withBrowser();
beforeAll(async () => {
  story = await sendStory();
  await vi.waitUntil(async () => (await matchedBy(story.query)) === story.count, patience);
});

test("a new error among the noise is found by its pattern, narrowed, read in its place, kept and shared", async () => {
  const { bank, refusals } = story;
  const ofCustomers = refusals.count - refusals.byProbe;
  const logs = await signedIn();
  await logs.search(story.query);
  await logs.chooseRange("Last 15 min");

  await logs.page.getByRole("tab", { name: /^Patterns/ }).click();
  await logs.pattern("GET").waitFor(patience);
  await logs.page.getByRole("switch", { name: "Only new" }).check();
  await expect.poll(() => logs.patterns.count(), patience).toBe(1);
  const firstSeen = new Date(refusals.firstMs).toISOString().slice(11, 19);
  expect((await logs.patterns.first().innerText()).replace(/\s+/g, " ")).toMatch(
    new RegExp(
      `^${refusals.count} .*payment refused by ${bank}: code <num>, order <num> error .*${firstSeen} new$`,
    ),
  );

  await logs.patterns.first().hover();
  await logs.patterns
    .first()
    .getByRole("button", { name: /^Filter by pattern:/ })
    .click();
  await expect.poll(() => logs.matched(), patience).toBe(refusals.count);
  expect(await logs.query.inputValue()).toMatch(
    new RegExp(`^service\\.namespace:${bank} pattern:[0-9a-f]{16}$`),
  );

  // The facets move once more when their counts come, away from under the pointer.
  const exclude = async () => {
    await logs.facetValue("service", `probe, ${refusals.byProbe} records`).hover(patience);
    const button = logs.facet("service").getByRole("button", { name: "Exclude probe" });
    return button.click({ timeout: 1000 }).then(
      () => true,
      () => false,
    );
  };
  await expect.poll(exclude, patience).toBe(true);
  await expect.poll(() => logs.matched(), patience).toBe(ofCustomers);
  const query = await logs.query.inputValue();
  expect(query).toMatch(/ -service:probe$/);
  const rows = await logs.rows.allInnerTexts();

  const around = await openAround(logs, 5);
  await around
    .getByText(/order \d+ placed/)
    .first()
    .waitFor(patience);
  await around.locator('[aria-current="true"]').getByText(`payment refused by ${bank}`).waitFor();
  await around.getByRole("button").filter({ hasText: "placed" }).first().click();
  await expect.poll(() => logs.query.inputValue(), patience).toBe("");
  await logs
    .row(/placed/)
    .first()
    .waitFor(patience);
  await logs.page.goBack();
  await expect.poll(() => logs.query.inputValue(), patience).toBe(query);
  await expect.poll(() => logs.matched(), patience).toBe(ofCustomers);
  await logs.record.waitFor(patience);
  await logs.page.keyboard.press("Escape");
  await expect.poll(() => logs.record.count()).toBe(0);

  const name = `Payments refused by ${bank}`;
  await logs.saveView(name);
  await logs.savedView(name).getByRole("button", { name: "Copy link" }).click();
  await logs.savedView(name).getByText("Copied").waitFor();
  const link = (await logs.page.evaluate("navigator.clipboard.readText()")) as string;
  await logs.page.keyboard.press("Escape");
  await expect.poll(() => logs.viewsButton.textContent()).toBe(name);

  const colleague = await signedIn(link);
  await expect.poll(() => colleague.rows.allInnerTexts(), patience).toEqual(rows);
  expect(await colleague.matched()).toBe(ofCustomers);
  expect(await colleague.query.inputValue()).toBe(query);
  expect(await colleague.rangeButton.innerText()).toContain("Last 15");
  await colleague.facetValue("service", "probe, excluded").waitFor(patience);
  await expect.poll(() => colleague.viewsButton.textContent(), patience).toBe(name);

  await colleague.page.goto("/status");
  await colleague.page.getByRole("heading", { name: "Agents" }).waitFor(patience);
  const palette = await openPalette(colleague, `refused ${bank}`);
  await palette.getByRole("option", { name }).waitFor(patience);
  await colleague.page.keyboard.press("Enter");
  await expect.poll(() => colleague.query.inputValue(), patience).toBe(query);
  await expect.poll(() => colleague.matched(), patience).toBe(ofCustomers);
});

test("the live tail shows an appended line within 5 s, holds back while paused, and goes on", async () => {
  const { bank } = story;
  const line = (number: number) => `refund ${number} of ${bank} booked`;
  const logs = await signedIn(address(`refund ${bank}`));
  await logs.query.waitFor(patience);
  await logs.page.keyboard.press("Shift+L");
  await liveStatus(logs, "Live").waitFor(patience);

  appendLine(line(1));
  const startMs = performance.now();
  await logs.liveRow(line(1)).waitFor({ timeout: 5000 });
  console.log(`the appended line was in the live tail after ${Math.round(performance.now() - startMs)} ms`);

  await logs.page.getByRole("button", { name: "Pause" }).click();
  await liveStatus(logs, "Paused").waitFor();
  appendLine(line(2));
  await expect.poll(() => matchedBy(`"${line(2)}"`), patience).toBe(1);
  expect(await logs.liveRow(bank).count()).toBe(1);
  await logs.page.getByRole("button", { name: "Resume" }).click();
  await logs.liveRow(line(2)).waitFor(patience);
  appendLine(line(3));
  await logs.liveRow(line(3)).waitFor(patience);
  await logs.page.getByText("3 records arrived").waitFor();

  await logs.page.getByRole("button", { name: "Stop" }).click();
  await expect.poll(() => logs.matched(), patience).toBe(3);
});

test("a download has the records that matched, each once", async () => {
  const logs = await signedIn(address(story.query));
  await expect.poll(() => logs.matched(), patience).toBe(story.count);
  await logs.page.getByRole("button", { name: "Download" }).click();
  const downloading = logs.page.waitForEvent("download");
  await logs.page.getByRole("link", { name: /^NDJSON/ }).click();
  const text = await readFile(await (await downloading).path(), "utf8");
  const records = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { id: string; body: string });
  expect(new Set(records.map(({ id }) => id)).size).toBe(story.count);
  expect(records.length).toBe(story.count);
  expect(records.filter(({ body }) => body.startsWith("payment refused")).length).toBe(story.refusals.count);
});

test("a few letters suggest a field, then a value of it, and make the query", async () => {
  const logs = await signedIn(address("*"));
  await logs.query.fill(`${story.query} `);
  await logs.query.pressSequentially("serv");
  const options = logs.page.getByRole("listbox", { name: "Suggestions" }).getByRole("option");
  await options
    .filter({ hasText: /^service(?!\.)/ })
    .first()
    .click(patience);
  await expect.poll(() => logs.query.inputValue()).toBe(`${story.query} service:`);
  await logs.page.keyboard.type("pro");
  await expect.poll(() => options.allInnerTexts(), patience).toEqual([expect.stringMatching(/^probe\s+40$/)]);
  await logs.page.keyboard.press("Tab");
  await expect.poll(() => logs.query.inputValue()).toBe(`${story.query} service:probe `);
  await logs.page.keyboard.press("Enter");
  await expect.poll(() => logs.matched(), patience).toBe(story.refusals.byProbe);
});

test.each(schemes)("in %s colours nothing is cut and axe finds nothing on the way", async (scheme) => {
  const { bank, query, refusals } = story;
  const everything = address(`${query} severity>=debug`, lastQuarter);
  const logs = await signedIn(everything, { scheme });
  await logs.facetValue("service", "probe").waitFor(patience);
  await logs
    .row(/payment refused/)
    .first()
    .waitFor(patience);
  await logs.page.mouse.move(720, 24);
  await check(logs.page, `explore-records-${scheme}`);

  const name = `Noise of ${bank}`;
  await logs.saveView(name);
  await logs.page.keyboard.press("Escape");
  await logs.search(`${query} /products`);
  const palette = await openPalette(logs, bank);
  await palette.getByRole("option", { name }).waitFor(patience);
  await check(logs.page, `explore-palette-${scheme}`);
  await logs.page.keyboard.press("Escape");
  await logs.deleteView(name);

  await logs.page.goto(address(query, { ...lastQuarter, tab: "patterns" }));
  await logs.pattern("payment refused").click(patience);
  await logs.page.getByRole("region", { name: "Placeholder 1" }).waitFor(patience);
  await logs.page.mouse.move(720, 24);
  await check(logs.page, `explore-patterns-${scheme}`);

  await logs.page.goto(address(`${query} refused`, lastQuarter));
  await expect.poll(() => logs.matched(), patience).toBe(refusals.count);
  const around = await openAround(logs, 5);
  await around.getByText(/GET/).first().waitFor(patience);
  await logs.page.mouse.move(720, 24);
  await check(logs.page, `explore-around-${scheme}`);
});

test.each(schemes)("in %s colours the live tail is in order, too", async (scheme) => {
  const { bank, query } = story;
  const logs = await signedIn(address(`${query} OR refund`, { live: "1" }), { scheme });
  await liveStatus(logs, "Live").waitFor(patience);
  // A pointer on the rows would hold them.
  await logs.page.mouse.move(720, 24);
  await sendMore(bank, 40);
  appendLine(`refund of ${bank} booked, seen in ${scheme}`);
  await logs.page.getByText("41 records arrived").waitFor(patience);
  await check(logs.page, `explore-live-${scheme}`);
});

/** The lines around a row's record, of whatever source. */
async function openAround(logs: LogsPage, at: number): Promise<Locator> {
  await logs.rows.nth(at).click(patience);
  await logs.record.getByRole("tab", { name: "Around" }).click(patience);
  await logs.record.getByRole("button", { name: "Everything" }).click();
  const lines = logs.page.getByRole("list", { name: "Lines around the record" });
  await lines.waitFor(patience);
  return lines;
}

async function openPalette(logs: LogsPage, text: string): Promise<Locator> {
  await logs.page.keyboard.press("Control+k");
  const palette = logs.page.getByRole("dialog", { name: "Go to or search" });
  await palette.waitFor(patience);
  await logs.page.keyboard.type(text);
  return palette;
}

function liveStatus(logs: LogsPage, words: "Live" | "Paused"): Locator {
  return logs.page.getByRole("status").filter({ hasText: new RegExp(`^${words}$`) });
}
