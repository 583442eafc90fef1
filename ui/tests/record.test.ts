import type { Locator } from "playwright-core";
import { expect, test } from "vitest";
import { laptop } from "../e2e/pages/browser";
import type { LogsPage } from "../e2e/pages/LogsPage";
import { checkoutId, checkoutRecords } from "./fixture/traces";
import { openLogs, server, withFixture, withQuery } from "./harness";

withFixture();

async function openAround(logs: LogsPage, at: number): Promise<Locator> {
  await logs.rows.nth(at).click();
  await logs.record.getByRole("tab", { name: "Around" }).click();
  const lines = logs.page.getByRole("list", { name: "Lines around the record" });
  await lines.waitFor();
  return lines;
}

function openRow(logs: LogsPage): Locator {
  return logs.grid.locator('[role="row"][aria-expanded="true"]');
}

function contexts(): URLSearchParams[] {
  return server.requests
    .filter((request) => request.startsWith("/logs/context"))
    .map((request) => new URLSearchParams(request.split("?")[1]));
}

test("a record that opens at the lower edge is scrolled into view, its row included", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("sku"));
  await logs.rows.first().waitFor();
  const frame = await logs.grid.boundingBox();
  if (!frame) throw new Error("no rows");
  await logs.page.mouse.click(frame.x + 700, frame.y + frame.height - 8);
  await logs.record.waitFor();
  const opened = openRow(logs);
  const bottom = frame.y + frame.height + 1;
  await expect
    .poll(async () => {
      const box = await logs.record.boundingBox();
      return box ? box.y + box.height : Number.NaN;
    })
    .toBeLessThanOrEqual(bottom);
  expect((await opened.boundingBox())?.y).toBeGreaterThan(frame.y + 20);
});

test("a tab that makes the record longer shows its end", async () => {
  const logs = await openLogs({ size: laptop });
  await logs.open(withQuery("deadline"));
  await logs.rows.nth(4).click();
  await logs.record.getByRole("tab", { name: "JSON" }).click();
  const frame = await logs.grid.boundingBox();
  const json = logs.record.getByRole("region", { name: "Record as JSON" });
  await expect
    .poll(async () => {
      const box = await json.boundingBox();
      return box ? box.y + box.height : Number.NaN;
    })
    .toBeLessThanOrEqual((frame?.y ?? 0) + (frame?.height ?? 0));
});

test("the tabs show fields, JSON and the lines around, by mouse and by arrow keys", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("deadline"));
  await logs.rows.first().click();
  const tab = (name: string) => logs.record.getByRole("tab", { name });
  expect(await tab("Fields").getAttribute("aria-selected")).toBe("true");
  await tab("Fields").focus();
  await logs.page.keyboard.press("ArrowRight");
  const json = logs.record.getByRole("region", { name: "Record as JSON" });
  await json.waitFor();
  expect(JSON.parse(await json.innerText())).toMatchObject({ severity: "ERROR", service: "checkout" });
  await logs.page.keyboard.press("ArrowRight");
  expect(await tab("Around").getAttribute("aria-selected")).toBe("true");
  await logs.page.keyboard.press("ArrowRight");
  await logs.record.getByText('"DeadlineExceeded"').waitFor();
  // The arrow keys belonged to the tabs: the time range did not move.
  expect(new URL(logs.page.url()).searchParams.get("from")).toBe(null);
});

test("around: the same stream first, more on both sides, the record marked and in its place", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("deadline"));
  await logs.rows.first().waitFor();
  const lines = await openAround(logs, 12);
  const own = lines.locator('[aria-current="true"]');
  expect(await own.innerText()).toContain("deadline exceeded");
  expect(await own.innerText()).toContain("this");
  expect(contexts()[0]?.get("same")).toBe("stream");
  await logs.record.getByText(/service checkout, host app-\d/).waitFor();

  const before = await own.boundingBox();
  await logs.record.getByRole("button", { name: "50 older lines" }).click();
  await expect.poll(() => contexts().at(-1)?.get("before")).toBe("50");
  await logs.page.waitForTimeout(200);
  expect(Math.abs(((await own.boundingBox())?.y ?? 0) - (before?.y ?? 0))).toBeLessThan(2);
  await lines.evaluate((list) => list.scrollTo(0, 0));
  const first = lines.getByRole("listitem").first();
  await expect.poll(() => first.innerText()).toMatch(/−\d+\smin/);
  expect(await lines.getByRole("listitem").count()).toBeLessThan(50);

  await logs.record.getByRole("button", { name: "Everything" }).click();
  await expect.poll(() => contexts().at(-1)?.get("same")).toBe("none");
  await expect.poll(() => lines.getByText(/catalog app-/).count()).toBeGreaterThan(0);
  await logs.record.getByRole("button", { name: /50 newer lines/ }).click();
  await expect.poll(() => contexts().at(-1)?.get("after")).toBe("50");
});

test("around: the newest line says so, a failure is said and asked again, no service offers none", async () => {
  server.failing.add("/logs/context");
  const logs = await openLogs();
  await logs.open(withQuery("*"));
  await logs.rows.first().click();
  await logs.record.getByRole("tab", { name: "Around" }).click();
  await logs.record.getByText(/^The lines around did not come: Too many searches/).waitFor();
  server.failing.clear();
  await logs.record.getByRole("button", { name: "Try again" }).click();
  await logs.record.getByText("The last line so far.").waitFor();

  await logs.page.keyboard.press("Escape");
  await logs.search("state:odd");
  await logs.row(/<img src=x/).click();
  await logs.record.getByRole("tab", { name: "Around" }).click();
  expect(await logs.record.getByRole("button", { name: "Service" }).isDisabled()).toBe(true);
});

test("show in the list: every record of that moment, the record open among the first rows", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("deadline"));
  await logs.rows.nth(9).click();
  const id = await logs.record.getByText(/^"0-/).textContent();
  await logs.record.getByRole("button", { name: "Show in the list" }).click();
  await expect.poll(() => logs.query.inputValue()).toBe("");
  await expect.poll(() => openRow(logs).count()).toBe(1);
  expect(await logs.record.getByText(/^"0-/).textContent()).toBe(id);
  const rowIndex = Number(await openRow(logs).getAttribute("aria-rowindex"));
  expect(rowIndex).toBeGreaterThan(10);
  expect(rowIndex).toBeLessThan(30);
  await logs.page.goBack();
  await expect.poll(() => logs.query.inputValue()).toBe("deadline");
});

test("a line around leads to its own place in the list", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("deadline"));
  await logs.rows.first().waitFor();
  const lines = await openAround(logs, 12);
  const line = lines.getByRole("button").first();
  const text = (await line.innerText()).split("\n").at(-1)?.trim() ?? "";
  await line.click();
  await expect.poll(() => logs.query.inputValue()).toBe("");
  await expect.poll(async () => (await openRow(logs).innerText()).includes(text)).toBe(true);
});

test("its pattern: the template, how often it was said in the range, since when; filter, exclude, all its records", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("sku"));
  await logs
    .row(/deadline/)
    .first()
    .click();
  const template = logs.record.getByRole("link", { name: /^deadline exceeded after <num> ms/ });
  await template.waitFor();
  await logs.record.getByText(/204 in this time range, first seen 2026-11-25 10:0\d:\d\d UTC/).waitFor();
  await logs.record.getByText("new", { exact: true }).waitFor();
  await logs.record.getByRole("button", { name: /^Exclude pattern:/ }).click();
  await expect.poll(() => logs.query.inputValue()).toMatch(/^sku -pattern:[0-9a-f]{16}$/);
  expect(await logs.row(/deadline/).count()).toBe(0);

  await logs
    .row(/slow query/)
    .first()
    .click();
  await logs.record.getByRole("link", { name: /^slow query <num> ms/ }).click();
  await expect.poll(() => logs.query.inputValue()).toMatch(/^pattern:[0-9a-f]{16}$/);
  await expect.poll(() => logs.matched()).toBe(887);
});

test("no pattern of a record without text; a failure of it is said, and the record is whole", async () => {
  const logs = await openLogs();
  server.failing.add("/logs/patterns");
  await logs.open(withQuery("deadline"));
  await logs.rows.first().click();
  await logs.record.getByText(/^Its pattern did not come: Too many searches/).waitFor();
  await logs.record.getByText('"DeadlineExceeded"').waitFor();
  server.failing.clear();
  await logs.search("state:odd");
  await logs.row(/^(?!.*(img|start|Trace|checkout|red|many)).*–/).click();
  await logs.record.waitFor();
  expect(await logs.record.getByText("Pattern").count()).toBe(0);
});

test("its trace: what it was, how long it took, the record's own span; one that is not stored says so", async () => {
  server.records = [...server.records, ...checkoutRecords()].sort((a, b) =>
    a.timestamp.localeCompare(b.timestamp),
  );
  const logs = await openLogs();
  await logs.open(withQuery("returning connection"));
  await logs.rows.first().click();
  const card = logs.record.getByRole("region", { name: "Trace" });
  const link = card.getByRole("link", { name: "edge POST /checkout" });
  await link.waitFor();
  expect(await card.innerText()).toMatch(/1\.05\ss\s+42\sspans, 9\sservices/);
  expect(await card.innerText()).toMatch(
    /This record: postgres SELECT products, \d+\sms\. \d+\sms of \d\.\d+\ss in postgres\./,
  );
  expect(await link.getAttribute("href")).toMatch(new RegExp(`^/traces/${checkoutId}\\?span=[0-9a-f]{16}$`));

  await logs.search("deadline");
  await logs.rows.first().click();
  await card.getByText(/^Trace [0-9a-f]{8}…[0-9a-f]{4} is not stored:/).waitFor();
});
