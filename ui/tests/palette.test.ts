import { expect, test } from "vitest";
import { phone } from "../e2e/pages/browser";
import type { LogsPage } from "../e2e/pages/LogsPage";
import { openLogs, server, withFixture, withQuery } from "./harness";

withFixture();

const palette = (logs: LogsPage) => logs.page.getByRole("dialog", { name: "Go to or search" });
const input = (logs: LogsPage) => palette(logs).getByRole("combobox");
const options = (logs: LogsPage) => palette(logs).getByRole("option");
const chosen = (logs: LogsPage) => palette(logs).getByRole("option", { selected: true });
const param = (logs: LogsPage, name: string) => new URL(logs.page.url()).searchParams.get(name);

async function openPalette(logs: LogsPage, text = ""): Promise<void> {
  await logs.page.keyboard.press("Control+k");
  await palette(logs).waitFor();
  await logs.page.keyboard.type(text);
}

test("Ctrl K opens it, also from the query bar; Esc closes it and gives the focus back", async () => {
  const logs = await openLogs();
  await logs.open();
  await logs.query.focus();
  await openPalette(logs, "sta");
  expect(await input(logs).inputValue()).toBe("sta");
  expect(await logs.query.inputValue()).toBe("");
  await logs.page.keyboard.press("Escape");
  await expect.poll(() => palette(logs).count()).toBe(0);
  expect(await logs.query.evaluate((element) => element === document.activeElement)).toBe(true);
});

test("pages by a few letters, marked; the arrows move and Enter opens", async () => {
  const logs = await openLogs();
  await logs.open();
  await openPalette(logs, "stat");
  await expect.poll(() => chosen(logs).innerText()).toMatch(/^Status/);
  expect(await chosen(logs).locator("mark").textContent()).toBe("Stat");
  expect(await input(logs).getAttribute("aria-activedescendant")).toBe(await chosen(logs).getAttribute("id"));
  await logs.page.keyboard.press("ArrowDown");
  expect(await chosen(logs).innerText()).not.toMatch(/^Status/);
  await logs.page.keyboard.press("ArrowUp");
  await logs.page.keyboard.press("Enter");
  await logs.page.getByRole("heading", { name: "Status", level: 1 }).waitFor();
  expect(await palette(logs).count()).toBe(0);
});

test("actions of the page: a time range, the live tail, columns, colours", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("sku", { columns: "body" }));
  await openPalette(logs, "15 min");
  await logs.page.keyboard.press("Enter");
  await expect.poll(() => param(logs, "from")).toBe("now-15m");
  await openPalette(logs, "reset col");
  await logs.page.keyboard.press("Enter");
  await expect.poll(() => param(logs, "columns")).toBe(null);
  await openPalette(logs, "colours light");
  await logs.page.keyboard.press("Enter");
  await expect
    .poll(() => logs.page.evaluate("getComputedStyle(document.body).backgroundColor"))
    .toBe("rgb(245, 246, 248)");
  await openPalette(logs, "live");
  await logs.page.keyboard.press("Enter");
  await expect.poll(() => param(logs, "live")).toBe("1");
  expect(param(logs, "query")).toBe("sku");
});

test("saved views and recent queries", async () => {
  server.views.add("Late calls", { query: "deadline", order: "oldest" });
  const logs = await openLogs();
  await logs.open();
  await logs.search("sku severity>=warn");
  await expect.poll(() => param(logs, "query")).toBe("sku severity>=warn");
  await logs.search("placed");
  await openPalette(logs, "sev warn");
  await expect.poll(() => chosen(logs).innerText()).toContain("sku severity>=warn");
  await logs.page.keyboard.press("Enter");
  await expect.poll(() => logs.query.inputValue()).toBe("sku severity>=warn");
  await openPalette(logs, "late");
  await expect.poll(() => chosen(logs).innerText()).toMatch(/Late calls\s+deadline/);
  await logs.page.keyboard.press("Enter");
  await expect.poll(() => param(logs, "order")).toBe("oldest");
  await openPalette(logs, "save this");
  await logs.page.keyboard.press("Enter");
  await logs.page.getByRole("dialog", { name: "Saved views" }).waitFor();
});

test("text becomes a search, also at once by Ctrl Enter", async () => {
  const logs = await openLogs();
  await logs.page.goto("/status");
  await logs.page.getByRole("heading", { name: "Agents" }).waitFor();
  await openPalette(logs, "deadline");
  await palette(logs)
    .getByRole("option", { name: /Search logs for “deadline”/ })
    .waitFor();
  await logs.page.keyboard.press("Control+Enter");
  await expect.poll(() => logs.query.inputValue()).toBe("deadline");
});

test("a pasted trace id offers the trace and its logs, a record id the record, an unknown one says so", async () => {
  const record = server.records[9000];
  const logs = await openLogs();
  await logs.open();
  await openPalette(logs, record?.trace_id ?? "");
  await expect.poll(() => chosen(logs).innerText()).toContain(`Trace ${record?.trace_id}`);
  await logs.page.keyboard.press("ArrowDown");
  await expect.poll(() => chosen(logs).innerText()).toContain("Logs of trace");
  await logs.page.keyboard.press("Enter");
  await expect.poll(() => param(logs, "query")).toBe(`trace_id:${record?.trace_id}`);
  expect(param(logs, "from")).toBe("now-7d");
  await expect.poll(() => logs.matched()).toBe(1);

  await openPalette(logs, record?.id ?? "");
  await logs.page.keyboard.press("Enter");
  await expect.poll(() => param(logs, "record")).toBe(record?.id);
  await logs.record.getByText(`"${record?.trace_id}"`).waitFor();

  await openPalette(logs, "7-dead");
  await logs.page.keyboard.press("Enter");
  expect(await palette(logs).getByRole("alert").textContent()).toContain("No record 7-dead");
});

test("Tab narrows to the type of the chosen one, Backspace widens again", async () => {
  server.views.add("Late calls", { query: "deadline" });
  const logs = await openLogs();
  await logs.open();
  await openPalette(logs);
  await palette(logs)
    .getByRole("option", { name: /Late calls/ })
    .hover();
  await logs.page.keyboard.press("Tab");
  await expect.poll(() => options(logs).count()).toBe(1);
  await logs.page.keyboard.press("Backspace");
  await expect.poll(() => options(logs).count()).toBeGreaterThan(5);
});

test("by a click: the header's button, and on a phone under More", async () => {
  const logs = await openLogs();
  await logs.open();
  await logs.page.getByRole("banner").getByRole("button", { name: "Go to or search" }).click();
  await options(logs).filter({ hasText: "Status" }).click();
  await logs.page.getByRole("heading", { name: "Status", level: 1 }).waitFor();

  const small = await openLogs({ size: phone, touch: true });
  await small.open();
  await small.page.getByRole("navigation", { name: "Pages" }).getByRole("button", { name: "More" }).tap();
  await small.page.getByRole("dialog", { name: "More" }).getByRole("button", { name: "Search" }).tap();
  await palette(small).waitFor();
});
