import { expect, test } from "vitest";
import { phone } from "../e2e/pages/browser";
import type { LogsPage } from "../e2e/pages/LogsPage";
import { openLogs, withFixture, withQuery } from "./harness";

withFixture();

function columns(logs: LogsPage): string | null {
  return new URL(logs.page.url()).searchParams.get("columns");
}

async function menuOf(logs: LogsPage, name: string): Promise<void> {
  await logs.grid.getByRole("columnheader", { name }).getByRole("button").click();
}

test("a value's field becomes a column, in the address, and rows stay 22 px high", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("deadline"));
  await logs.rows.first().click();
  await logs.record.getByText('"DeadlineExceeded"').hover();
  await logs.record.getByRole("button", { name: "Add error.type as a column" }).click();
  await expect.poll(() => columns(logs)).toBe("severity,service,host,body,error.type");
  expect(await logs.columnNames).toEqual([
    expect.stringMatching(/^Time/),
    "Severity",
    "Service",
    "Host",
    "Body",
    "error.type",
  ]);
  expect(await logs.rows.nth(1).getByRole("gridcell").last().innerText()).toBe("DeadlineExceeded");
  expect((await logs.rows.nth(1).boundingBox())?.height).toBe(22);

  await logs.page.goto(logs.page.url());
  await logs.rows.first().waitFor();
  expect(await logs.rows.nth(1).getByRole("gridcell").last().innerText()).toBe("DeadlineExceeded");
  await logs.record.getByText('"DeadlineExceeded"').hover();
  await logs.record.getByRole("button", { name: "Remove the column error.type" }).click();
  await expect.poll(() => columns(logs)).toBe(null);
});

test("a column's menu moves, widens, filters and removes it", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("sku", { columns: "service,body,http.route" }));
  await logs.rows.first().waitFor();
  await menuOf(logs, "http.route");
  await logs.page.getByRole("button", { name: "Move left" }).click();
  await expect.poll(() => columns(logs)).toBe("service,http.route,body");
  await menuOf(logs, "http.route");
  await logs.page.getByRole("button", { name: "Wider" }).click();
  await expect.poll(() => columns(logs)).toBe("service,http.route:160,body");
  await logs.page.getByRole("button", { name: "Usual width" }).click();
  await expect.poll(() => columns(logs)).toBe("service,http.route,body");
  await menuOf(logs, "http.route");
  await logs.page.getByRole("button", { name: "Only records without it" }).click();
  await expect.poll(() => logs.query.inputValue()).toBe("sku -http.route:*");
  await menuOf(logs, "http.route");
  await logs.page.getByRole("button", { name: "Remove the column" }).click();
  await expect.poll(() => columns(logs)).toBe("service,body");
});

test("a dragged border changes the width, a double click gives it back", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("sku"));
  await logs.rows.first().waitFor();
  const header = logs.grid.getByRole("columnheader", { name: "Host" });
  const cell = () => logs.rows.first().getByText(/^app-/).boundingBox();
  const box = await header.boundingBox();
  if (!box) throw new Error("no header");
  const edge = { x: box.x + box.width + 6, y: box.y + 12 };
  await logs.page.mouse.move(edge.x, edge.y);
  await logs.page.mouse.down();
  await logs.page.mouse.move(edge.x + 30, edge.y);
  await logs.page.mouse.move(edge.x + 60, edge.y);
  // The rows follow the pointer; the address changes when it lets go.
  expect((await cell())?.width).toBeCloseTo(box.width + 60, 0);
  expect(columns(logs)).toBe(null);
  await logs.page.mouse.up();
  await expect.poll(() => columns(logs)).toBe(`severity,service,host:${Math.round(box.width + 60)},body`);
  await logs.page.mouse.dblclick(edge.x + 60, edge.y);
  await expect.poll(() => columns(logs)).toBe(null);
});

test("the menu of columns adds by name, moves, removes and goes back to the usual ones", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("sku"));
  await logs.rows.first().waitFor();
  await logs.page.keyboard.press("c");
  await logs.page.getByRole("textbox", { name: "Add a column" }).fill("http.st");
  await logs.page.getByRole("checkbox", { name: /^http.status_code/ }).click();
  await expect.poll(() => columns(logs)).toBe("severity,service,host,body,http.status_code");
  await logs.page.getByRole("textbox", { name: "Add a column" }).fill("not.seen.yet");
  await logs.page.getByRole("checkbox", { name: "not.seen.yet" }).click();
  await logs.page.getByRole("button", { name: "Remove Severity" }).click();
  await logs.page.getByRole("button", { name: "Move Body left" }).click();
  await expect.poll(() => columns(logs)).toBe("service,body,host,http.status_code,not.seen.yet");
  expect(await logs.page.getByRole("button", { name: "Remove Body" }).isDisabled()).toBe(true);
  await logs.page.getByRole("button", { name: "Usual columns" }).click();
  await expect.poll(() => columns(logs)).toBe(null);
  await logs.page.keyboard.press("Escape");
  await expect.poll(() => logs.page.getByRole("textbox", { name: "Add a column" }).count()).toBe(0);
});

test("numbers stand at the right; many columns scroll sideways and the body keeps its room", async () => {
  const logs = await openLogs({ size: { width: 1280, height: 800 } });
  const many = Array.from({ length: 12 }, (_, at) => `absent.${at}`).join(",");
  await logs.open(withQuery("sku", { columns: `duration_ms,${many},body` }));
  await logs.rows.first().waitFor();
  const style = await logs.rows
    .first()
    .getByRole("gridcell")
    .nth(1)
    .evaluate((cell) => getComputedStyle(cell).textAlign);
  expect(style).toBe("right");
  const body = await logs.rows.first().getByRole("gridcell").last().boundingBox();
  expect(body?.width).toBeGreaterThanOrEqual(239);
  expect(await logs.grid.evaluate((grid) => grid.scrollWidth > grid.clientWidth)).toBe(true);
  expect(await logs.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")).toBe(0);
  await logs.rows.first().click();
  const frame = await logs.grid.boundingBox();
  expect((await logs.record.boundingBox())?.width).toBeLessThanOrEqual(frame?.width ?? 0);
});

test("w wraps long bodies over as many lines as they need, without overlap, and back", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("state:odd"));
  await logs.rows.first().waitFor();
  const trace = logs.row(/Traceback/);
  expect((await trace.boundingBox())?.height).toBe(22);
  await logs.page.keyboard.press("w");
  await expect.poll(() => new URL(logs.page.url()).searchParams.get("wrap")).toBe("1");
  await expect.poll(async () => (await trace.boundingBox())?.height).toBeGreaterThan(70);
  await logs.row(/many attributes/).click();
  await logs.record.waitFor();
  await logs.page.waitForTimeout(200);
  const boxes = await logs.grid.getByRole("row").evaluateAll((rows) =>
    rows
      .slice(1)
      .map((row) => row.getBoundingClientRect())
      .map(({ top, bottom }) => ({ top, bottom }))
      .sort((a, b) => a.top - b.top),
  );
  for (const [at, box] of boxes.entries()) {
    const next = boxes[at + 1];
    if (next) expect(next.top).toBeGreaterThanOrEqual(box.bottom - 1);
  }
  await logs.page.keyboard.press("w");
  await expect.poll(async () => (await trace.boundingBox())?.height).toBe(22);
});

test("the mouse that rests on a cell gets filter and exclude; a click elsewhere in the row opens it", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("placed"));
  await logs.rows.nth(1).getByText("checkout").hover();
  await logs.page.getByTitle("Exclude service:checkout (x)").click();
  await expect.poll(() => logs.query.inputValue()).toBe("placed -service:checkout");
  expect(await logs.record.count()).toBe(0);
});

test("on a phone a row has its fields above its body, and neither leaves the window", async () => {
  const logs = await openLogs({ size: phone, touch: true });
  await logs.open(
    withQuery("deadline", { columns: "severity,service,host,body,http.route,duration_ms,trace_id" }),
  );
  await logs.rows.first().waitFor();
  const cells = await logs.rows.first().getByRole("gridcell").all();
  const boxes = await Promise.all(cells.map((cell) => cell.boundingBox()));
  for (const box of boxes) expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(phone.width);
  const body = await logs.rows
    .first()
    .getByText(/^deadline/)
    .boundingBox();
  expect(body?.y).toBeGreaterThan((boxes[0]?.y ?? 0) + 10);
});
