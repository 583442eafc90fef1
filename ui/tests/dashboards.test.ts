// Dashboards by hand: find, import, export, delete; variables, panels, editing and saving.
import { expect, test } from "vitest";
import { DashboardPage } from "../e2e/pages/DashboardPage";
import { teamText } from "./fixture/dashboards";
import { openLogs, server, withFixture } from "./harness";

withFixture();

async function open(path: string): Promise<DashboardPage> {
  const page = new DashboardPage((await openLogs()).page);
  await page.open(path);
  return page;
}

function params({ page }: DashboardPage): URLSearchParams {
  return new URL(page.url()).searchParams;
}

test("g d leads to the list, a tag narrows it, a title opens", async () => {
  const logs = await openLogs();
  await logs.open();
  await logs.page.keyboard.press("g");
  await logs.page.keyboard.press("d");
  const list = new DashboardPage(logs.page);
  await list.row("Host").waitFor();
  expect(await list.row("Host").innerText()).toContain("Narrows");
  expect(await list.row("Shop").innerText()).toContain("2026-11-24 16:20:00");
  await list.page.getByRole("button", { name: "shop", exact: true }).click();
  await list.page.getByText("1 dashboard of 3").waitFor();
  expect(params(list).get("tag")).toBe("shop");
  await list.row("Shop").getByRole("link", { name: "Shop" }).click();
  await list.page.getByRole("heading", { level: 1, name: "Shop" }).waitFor();
});

test("variables are asked for, chosen, and in the address and the queries", async () => {
  const page = await open("/d/shop");
  await page.chart("CPU of All").waitFor();
  await expect
    .poll(() => page.asked(server.requests, "by (cpu_mode)").at(-1))
    .toMatch(/host_name=~"\(app-1\|app-2\|app-3\|app-4\|db-1\|mq-1\)"\}\[5m\]/);
  await page.page.getByRole("button", { name: /^host/ }).click();
  await page.page.getByRole("checkbox", { name: "db-1" }).check();
  await page.chart("CPU of db-1").waitFor();
  await page.page.keyboard.press("Escape");
  await page.page.getByLabel("step").selectOption("1m");
  await expect.poll(() => params(page).get("var-step")).toBe("1m");
  expect(params(page).get("var-host")).toBe("db-1");
  await expect
    .poll(() => page.asked(server.requests, "by (cpu_mode)").at(-1))
    .toContain('host_name=~"db-1"}[1m]');
});

test("what is not drawn is named, on its panel and on the dashboard", async () => {
  const page = await open("/d/shop");
  await page
    .panel("Latency")
    .getByText(/Not shown yet: a panel of the type heatmap/)
    .waitFor();
  await page.panel("Elsewhere").getByText("Not shown: query A, which asks Loki.").waitFor();
  await page.page.getByRole("button", { name: "2 things are not shown" }).click();
  const dialog = page.page.getByRole("dialog", { name: "What is not shown" });
  expect(await dialog.innerText()).toMatch(
    /Latency\na panel of the type heatmap\nElsewhere\nquery A, which asks Loki/,
  );
});

test("a text is no HTML, and a link is no script", async () => {
  const page = await open("/d/shop");
  const text = page.panel("Read me");
  await text.getByText("What All does.").waitFor();
  expect(await text.getByRole("link").allInnerTexts()).toEqual(["runbook"]);
});

test("a panel says that nothing answers, and that a query was refused", async () => {
  const page = await open("/d/shop");
  await page.panel("Nothing").getByText("Nothing answers in this time.").waitFor();
  await page.page.getByRole("button", { name: "More", exact: false }).filter({ hasText: "1 panel" }).click();
  await page
    .panel("Refused")
    .getByRole("alert")
    .getByText(/read more than 50 M samples/)
    .waitFor();
  expect(params(page).get("rows")).toBe("row 8");
});

test("v gives a panel the whole page, and Esc takes it back", async () => {
  const page = await open("/d/shop");
  await page.panel("Partitions").hover();
  await page.page.keyboard.press("v");
  await expect.poll(() => params(page).get("view")).toBe("top 5");
  expect(await page.panel("Used").count()).toBe(0);
  await page.page.keyboard.press("Escape");
  await page.panel("Used").waitFor();
});

test("a panel's query and JSON are shown, and its query is explored", async () => {
  const page = await open("/d/shop");
  await page.chart("CPU of All").waitFor();
  await page.tool("CPU of All", "Query and JSON of CPU of All");
  const dialog = page.page.getByRole("dialog", { name: "CPU of All" });
  await dialog.getByText(/host_name=~"\(app-1/).waitFor();
  await dialog.getByText('"type": "timeseries"').waitFor();
  await dialog.getByRole("button", { name: "Close" }).click();
  await page.panel("CPU of All").hover();
  await page.page.getByRole("link", { name: "Explore CPU of All" }).click();
  await expect.poll(() => params(page).get("q")).toContain("[5m]");
});

test("an edit changes what was edited and nothing else", async () => {
  const page = await open("/d/shop");
  await page.chart("CPU of All").waitFor();
  await page.page.keyboard.press("Shift+E");
  await page.tool("CPU of All", "Edit CPU of All");
  await page.page.getByLabel("Title").fill("Busy");
  await page.page.getByRole("button", { name: "Apply" }).click();
  await page.page.getByText("Not saved yet").waitFor();
  await page.panel("Busy").waitFor();
  await page.page.keyboard.press("Control+s");
  await page.page.getByText("Saved", { exact: true }).waitFor();
  expect(server.dashboards.text("shop")).toBe(teamText.replace('"CPU of $host"', '"Busy"'));
});

test("somebody else's change is not lost in silence", async () => {
  const page = await open("/d/shop?edit=1");
  await page.chart("CPU of All").waitFor();
  await page.tool("CPU of All", "Edit CPU of All");
  await page.page.getByLabel("Title").fill("Mine");
  await page.page.getByRole("button", { name: "Apply" }).click();
  server.dashboards.touch("shop");
  await page.page.getByRole("button", { name: "Save", exact: true }).click();
  await page.page.getByText(/somebody else changed this dashboard/).waitFor();
  await page.page.getByRole("button", { name: "Replace their change" }).click();
  await page.page.getByText("Saved", { exact: true }).waitFor();
  expect(server.dashboards.text("shop")).toContain('"Mine"');
});

test("JSON that is none is not taken over", async () => {
  const page = await open("/d/shop?edit=1");
  await page.page.getByRole("button", { name: "JSON", exact: true }).click();
  const editor = page.page.getByLabel("JSON", { exact: true });
  await editor.fill('{"title": "x",\n "panels": [}');
  await page.page.getByText(/^Line 2, character 13: /).waitFor();
  expect(await page.page.getByRole("button", { name: "Apply" }).isDisabled()).toBe(true);
});

test("save as makes another one", async () => {
  const page = await open("/d/host?edit=1");
  await page.page.getByRole("button", { name: "Save as" }).click();
  await page.page.getByLabel("Title").fill("Our host");
  await page.page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await page.page.getByRole("heading", { level: 1, name: "Our host" }).waitFor();
  expect(JSON.parse(server.dashboards.text("made-3"))).toMatchObject({
    title: "Our host",
    schemaVersion: 39,
  });
});

test("a file is checked, then imported", async () => {
  const page = await open("/dashboards");
  await page.page.getByRole("button", { name: "Import" }).click();
  const dialog = page.page.getByRole("dialog", { name: "Import a dashboard" });
  await dialog.getByLabel("JSON").fill('{"panels": 1, ');
  await dialog.getByText(/Line 1, character 15: the JSON ends too early/).waitFor();
  const file = `{"dashboard": {"id": null, "uid": "new-1", "title": "New", "panels": [{"type": "piechart", "title": "Pie"}]}, "overwrite": true}`;
  await dialog.getByLabel("JSON").fill(file);
  await dialog.getByText(/1 panel, 0 variables. 1 thing is not shown/).waitFor();
  await dialog.getByText("a panel of the type piechart").waitFor();
  await dialog.getByRole("button", { name: "Import", exact: true }).click();
  await page.page.getByRole("heading", { level: 1, name: "New" }).waitFor();
  expect(server.dashboards.text("new-1")).toBe(
    file.slice('{"dashboard": '.length, -', "overwrite": true}'.length),
  );
});

test("a deletion asks by name, a download has the text", async () => {
  const page = await open("/dashboards");
  const saved = page.page.waitForEvent("download");
  await page.page.getByRole("button", { name: "Download Shop" }).click();
  expect((await saved).suggestedFilename()).toBe("shop.json");
  expect(await page.page.getByRole("button", { name: "Delete Host" }).count()).toBe(0);
  await page.page.getByRole("button", { name: "Delete Shop" }).click();
  await page.page.getByRole("dialog").getByRole("button", { name: "Delete Shop" }).click();
  await expect.poll(() => server.dashboards.uids()).not.toContain("shop");
  await expect.poll(() => page.row("Shop").count()).toBe(0);
});

test("panels far below ask when they are seen, and each query once", async () => {
  const page = await open("/d/host?var-host=db-1");
  await page.panel("CPU by mode").waitFor();
  await page.page.waitForTimeout(600);
  expect(page.asked(server.requests, "narrows_host_temperature_celsius")).toEqual([]);
  expect(page.asked(server.requests, 'cpu_mode!="idle"').length).toBe(1);
  await page.panel("Temperatures").scrollIntoViewIfNeeded();
  await expect.poll(() => page.asked(server.requests, "narrows_host_temperature_celsius").length).toBe(1);
  await page.panel("Logs").scrollIntoViewIfNeeded();
  await page
    .panel("Logs")
    .getByText(/^No record matches host:"db-1"|^\d\d:\d\d:\d\d\.\d{3}$/)
    .first()
    .waitFor();
});

test("a dashboard that is not there says so", async () => {
  const page = await open("/d/nowhere");
  await page.page.getByRole("heading", { name: "There is no dashboard nowhere" }).waitFor();
});
