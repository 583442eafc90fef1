// The built page as a real collector serves it, with records that came through OTLP and through an agent's file.
import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { appendLine } from "./environment";
import { sendBusyShop, sendShop } from "./otlp";
import { axeViolations, desktop, laptop, phone, shoot } from "./pages/browser";
import { address, check, matchedBy, signedIn, withBrowser } from "./session";

const run = `run${randomBytes(6).toString("hex")}`;
const shopSize = 6000;

withBrowser();

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
  await logs.record.getByText("in this time range").waitFor();
  await logs.record.getByText("is not stored").waitFor();
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
  await logs.page.getByRole("tab", { name: /^Result\s?\d+ rows/ }).waitFor();
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
