import { expect, test } from "vitest";
import { openLogs, server, withFixture, withQuery } from "./harness";

withFixture();

test("a search shows its count, its rows and marks the words", async () => {
  const logs = await openLogs();
  await logs.open();
  await logs.rows.first().waitFor();
  const before = server.requests.filter((request) => request.startsWith("/logs/search")).length;
  await logs.search("sku severity>=warn");
  await expect.poll(() => logs.matched()).toBe(1091);
  const asked = server.requests.filter((request) => request.startsWith("/logs/search")).length - before;
  expect(asked).toBe(1);
  expect(await logs.rows.first().locator("mark").textContent()).toBe("sku");
  expect(new URL(logs.page.url()).searchParams.get("query")).toBe("sku severity>=warn");
  expect(await logs.page.getByText(/searched 4\.1\sM records in/).isVisible()).toBe(true);
});

test("only the visible rows are in the page, and scrolling asks for the next by cursor", async () => {
  const logs = await openLogs();
  await logs.open();
  await logs.rows.first().waitFor();
  expect(await logs.rows.count()).toBeLessThan(80);
  const before = await logs.rows.first().getAttribute("aria-rowindex");
  for (let step = 0; step < 6; step += 1) {
    await logs.scrollBy(4000);
    await logs.page.waitForTimeout(150);
  }
  const cursors = server.requests.map((request) => new URLSearchParams(request.split("?")[1]).get("cursor"));
  expect(cursors).toContain("200");
  expect(cursors).toContain("400");
  expect(await logs.rows.first().getAttribute("aria-rowindex")).not.toBe(before);
  expect(await logs.rows.count()).toBeLessThan(80);
});

test("a next page that fails leaves what came, says so and comes when asked again", async () => {
  server.failingPages = 1;
  const logs = await openLogs();
  await logs.open();
  await logs.rows.first().waitFor();
  const asked = () => server.requests.filter((request) => request.includes("cursor=200")).length;
  await logs.scrollBy(3000);
  await expect.poll(asked).toBe(1);
  const again = logs.page.getByRole("button", { name: "The next records did not come. Try again" });
  await again.waitFor();
  expect(await logs.matched()).toBe(12_000);
  expect(await logs.histogram.isVisible()).toBe(true);
  expect(await logs.rows.count()).toBeGreaterThan(20);
  expect(await logs.queryError.textContent()).toBe("");
  await logs.page.waitForTimeout(300);
  expect(asked()).toBe(1);

  await again.click();
  await expect.poll(() => again.count()).toBe(0);
  const later = logs.grid.locator('[aria-rowindex="250"]');
  const scrolledToIt = async () => {
    await logs.scrollBy(400);
    return later.count();
  };
  await expect.poll(scrolledToIt).toBe(1);
  expect(asked()).toBe(2);
});

test("oldest first", async () => {
  const logs = await openLogs();
  await logs.open();
  // In the grid: until the rows are there, the last such button of the page is that of the time range.
  await logs.grid.getByRole("button", { name: /^Time/ }).click();
  await expect.poll(() => logs.rows.first().textContent()).toContain("09:17:40");
  expect(logs.page.url()).toContain("order=oldest");
});

test("a record opens in place, and its values filter and exclude", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("sku"));
  await logs
    .row(/deadline/)
    .first()
    .click();
  await logs.record.getByText('"DeadlineExceeded"').hover();
  await logs.record.getByRole("button", { name: "Filter by error.type:DeadlineExceeded" }).click();
  await expect.poll(() => logs.matched()).toBe(204);
  expect(await logs.query.inputValue()).toBe("sku error.type:DeadlineExceeded");

  await logs
    .row(/deadline/)
    .first()
    .click();
  await logs.record.getByRole("button", { name: /^resource/ }).click();
  await logs.record.getByText('"checkout"').first().hover();
  await logs.record.getByRole("button", { name: "Exclude service:checkout" }).click();
  await expect.poll(() => logs.query.inputValue()).toBe("sku error.type:DeadlineExceeded -service:checkout");
  await logs.page.getByRole("heading", { name: /Nothing matched/ }).waitFor();
});

test("f filters by the value under the pointer or in focus, x excludes it", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("sku"));
  await logs.rows.first().waitFor();
  await logs.page.keyboard.press("f");
  expect(await logs.query.inputValue()).toBe("sku");
  await logs
    .row(/deadline/)
    .first()
    .click();
  await logs.record.getByText('"DeadlineExceeded"').hover();
  await logs.page.keyboard.press("f");
  await expect.poll(() => logs.query.inputValue()).toBe("sku error.type:DeadlineExceeded");
  await expect.poll(() => logs.matched()).toBe(204);

  await logs.rows.first().click();
  await logs.record.getByRole("button", { name: "Filter by http.status_code:504" }).focus();
  await logs.page.keyboard.press("x");
  await expect
    .poll(() => logs.query.inputValue())
    .toBe("sku error.type:DeadlineExceeded -http.status_code:504");

  await logs.search("placed");
  await logs.query.press("Escape");
  await logs.rows.first().getByText("checkout").hover();
  await logs.page.keyboard.press("x");
  await expect.poll(() => logs.query.inputValue()).toBe("placed -service:checkout");
});

test("by keyboard: j takes the rows, the arrows walk over their cells, f and x are about that cell", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("sku"));
  await logs.rows.first().waitFor();
  const { keyboard } = logs.page;
  const cursor = logs.grid.locator('[data-cursor="true"]');
  await keyboard.press("j");
  await keyboard.press("j");
  // The whole row: no value of it was meant.
  await keyboard.press("f");
  await keyboard.press("ArrowRight");
  await keyboard.press("ArrowRight");
  const service = (await cursor.innerText()).trim();
  expect(["catalog", "checkout"]).toContain(service);
  expect(await logs.grid.getAttribute("aria-activedescendant")).toBe(await cursor.getAttribute("id"));
  expect(await logs.rows.nth(1).locator('[data-cursor="true"]').count()).toBe(1);
  // Along the column, and not in time.
  await keyboard.press("j");
  await keyboard.press("k");
  expect(await logs.rows.nth(1).locator('[data-cursor="true"]').innerText()).toContain(service);
  expect(new URL(logs.page.url()).searchParams.get("from")).toBe(null);
  await keyboard.press("f");
  await expect.poll(() => logs.query.inputValue()).toBe(`sku service:${service}`);

  await expect.poll(() => logs.matched()).toBeLessThan(12_000);
  await keyboard.press("ArrowRight");
  const host = (await cursor.innerText()).trim();
  await keyboard.press("x");
  await expect.poll(() => logs.query.inputValue()).toBe(`sku service:${service} -host:${host}`);

  // Esc leaves the cells, a pointer too; outside of the rows the arrow keys are those of the time range.
  await keyboard.press("j");
  await keyboard.press("Escape");
  await expect.poll(() => cursor.count()).toBe(0);
  await logs.query.focus();
  await logs.query.press("Escape");
  await logs.histogram.click();
  await keyboard.press("ArrowLeft");
  await expect.poll(() => new URL(logs.page.url()).searchParams.get("from")).not.toBe(null);
});

test("an open record is part of the address, and Esc closes it", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("deadline"));
  await logs.rows.nth(2).click();
  await logs.record.waitFor();
  const address = logs.page.url();
  const id = await logs.record.getByText(/^"0-/).textContent();
  await logs.page.goto(address);
  expect(await logs.record.getByText(/^"0-/).textContent()).toBe(id);
  await logs.page.keyboard.press("Escape");
  await expect.poll(() => logs.record.count()).toBe(0);
  expect(logs.page.url()).not.toContain("record=");
});

test("a linked record far down is scrolled to, a new question starts at the top", async () => {
  const record = server.records.at(-150);
  const logs = await openLogs();
  await logs.open(withQuery("*", { record: record?.id ?? "", at: record?.timestamp ?? "" }));
  await logs.record.waitFor();
  const top = (await logs.record.boundingBox())?.y ?? 0;
  expect(top).toBeGreaterThan(280);
  expect(top).toBeLessThan(400);
  await logs.search("sku");
  await expect.poll(() => logs.rows.first().getAttribute("aria-rowindex")).toBe("2");
});

test("a copied link leads to the record when the rows do not hold it", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("deadline"));
  await logs.rows.first().click();
  const id = await logs.record.getByText(/^"0-/).textContent();
  await logs.record.getByRole("button", { name: "Copy link" }).click();
  await logs.record.getByText("Copied").waitFor();
  const link = (await logs.page.evaluate("navigator.clipboard.readText()")) as string;
  await logs.page.goto(link);
  expect(await logs.record.getByText(/^"0-/).textContent()).toBe(id);

  await logs.page.goto(`${link}&query=placed`);
  expect(await logs.linkedRecord.getByText(/^"0-/).textContent()).toBe(id);
  await logs.rows.first().waitFor();

  await logs.page.goto(link.replace(/record=[^&]*/, "record=7-dead"));
  await logs.page.getByRole("heading", { name: "The linked record is not here" }).waitFor();
});

test("log text is never markup, and a huge body is cut until asked for", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("state:odd"));
  await logs.row(/<img src=x/).click();
  expect(await logs.record.locator("img, script").count()).toBe(0);
  expect(await logs.record.getByText(/<script>document/).isVisible()).toBe(true);
  expect(await logs.page.title()).toBe("Logs – Narrows");

  await logs.row(/^10:17:37.999/).click();
  expect((await logs.record.innerText()).length).toBeLessThan(4000);
  await logs.record.getByRole("button", { name: /show all 262\sk characters/ }).click();
  expect((await logs.record.innerText()).length).toBeGreaterThan(262_000);

  await logs.row(/many attributes/).click();
  await logs.record.getByRole("button", { name: "show all 501" }).click();
  expect(await logs.record.getByText("attribute.499").count()).toBe(1);
  expect(await logs.record.getByText("9007199254740993").count()).toBe(1);
});

test("an error is underlined where it is and said in a sentence", async () => {
  const logs = await openLogs();
  await logs.open();
  await logs.query.fill("🙂 sku | feilds service");
  await expect.poll(() => logs.underlined.textContent()).toBe("feilds");
  expect(await logs.queryError.textContent()).toBe(
    "Unknown stage feilds. The stages are stats, top and limit.",
  );
  await logs.query.press("Enter");
  await logs.page.getByRole("heading", { name: "The query cannot be read" }).waitFor();
  await logs.search("sku");
  await logs.rows.first().waitFor();
  expect(await logs.queryError.textContent()).toBe("");
});

test("a table for stages, with numbers and bars", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("* | top 10 service"));
  const table = logs.page.getByRole("table", { name: "Result" });
  await table.waitFor();
  expect(await table.getByRole("row").nth(1).innerText()).toMatch(/^(catalog|checkout)\s+\d,\d{3}/);
  expect(await logs.page.getByRole("tab", { name: /^Result 3 rows from 12,000 records/ }).isVisible()).toBe(
    true,
  );
});

test("partial answers say so and why; failed ones say what failed and what next", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("state:partial"));
  await logs.page.getByText(/What came is shown/).waitFor();
  expect(await logs.page.getByText(/1 file is damaged and was left out/).isVisible()).toBe(true);

  await logs.search("state:error");
  const alert = logs.page.getByRole("alert");
  await alert.waitFor();
  expect(await alert.textContent()).toContain("The query took longer than 30 s and was stopped");
  expect(await alert.textContent()).toContain("Narrow the time range or add a field.");
});

test("nothing matched: why, and a wider range in one click", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("nothingofthekind"));
  await logs.page.getByRole("button", { name: /Search the last 24/ }).click();
  await expect.poll(() => logs.page.url()).toContain("from=now-24h");
  await logs.page.getByRole("button", { name: "Show every record" }).click();
  await expect.poll(() => logs.matched()).toBe(12_000);
});

test("the histogram isolates a severity and shows its numbers as a table", async () => {
  const logs = await openLogs();
  await logs.open();
  expect(await logs.histogram.getAttribute("aria-label")).toMatch(/12\.0\sk records \(204 error, 887 warn/);
  const legend = logs.page.getByRole("button", { name: "error 204" });
  await legend.click();
  expect(await legend.getAttribute("aria-pressed")).toBe("true");
  await logs.page.keyboard.press("Shift+T");
  const table = logs.page.getByRole("region", { name: "Records over time, table" });
  expect(await table.getByRole("row").count()).toBeGreaterThan(100);
});

test("the keyboard does what the list says", async () => {
  const logs = await openLogs();
  const { keyboard } = logs.page;
  await logs.open();
  await logs.rows.first().waitFor();
  await keyboard.press("j");
  await keyboard.press("j");
  await keyboard.press("Enter");
  await logs.record.waitFor();
  expect(await logs.rows.nth(1).getAttribute("aria-expanded")).toBe("true");
  await keyboard.press("Escape");
  await keyboard.press("/");
  await keyboard.type("j");
  expect(await logs.query.inputValue()).toBe("j");
  await keyboard.press("Escape");
  await keyboard.press("[");
  await logs.page.getByText("Narrows", { exact: true }).waitFor();
  await keyboard.press("?");
  const list = logs.page.getByRole("dialog", { name: "Keyboard" });
  await list.waitFor();
  await list.getByRole("checkbox").uncheck();
  await keyboard.press("Escape");
  await keyboard.press("?");
  await logs.page.waitForTimeout(200);
  expect(await list.isVisible()).toBe(false);
});
