// Every list is searched in the same way.
import { expect, test } from "vitest";
import { openLogs, withFixture } from "./harness";

withFixture();

test.each([
  ["/services", "Find a service"],
  ["/services/map", "Find on the map"],
  ["/hosts", "Find a host"],
  ["/bottlenecks", "Find a verdict"],
  ["/alerts", "Filter by labels"],
  ["/alerts/rules", "Find a rule"],
  ["/alerts/silences", "Find a silence"],
  ["/dashboards", "Find a dashboard"],
  ["/settings/users", "Find a user"],
  ["/settings/tokens", "Find a token"],
])("%s: / leads to it, Esc empties it, once more gives the keys back", async (path, name) => {
  const { page } = await openLogs();
  await page.goto(path);
  const field = page.getByRole("searchbox", { name });
  await field.waitFor();
  const focused = () => field.evaluate((element) => element === document.activeElement);
  await page.keyboard.press("/");
  expect(await focused()).toBe(true);
  expect(await field.inputValue()).toBe("");
  await page.keyboard.type("zz");
  await page.keyboard.press("Escape");
  await expect.poll(() => field.inputValue()).toBe("");
  expect(await focused()).toBe(true);
  await page.keyboard.press("Escape");
  expect(await focused()).toBe(false);
});

test("users and tokens are found by any of their words; none is said, with the way back", async () => {
  const { page } = await openLogs();
  await page.goto("/settings/users");
  const rows = page.getByRole("table", { name: "Users" }).getByRole("rowheader");
  await rows.first().waitFor();
  const all = await rows.count();
  await page.keyboard.press("/");
  await page.keyboard.type("editor SHOP");
  await expect.poll(() => rows.allInnerTexts()).toEqual(["shop-dashboards"]);
  await page.getByText(`1 user of ${all}`).waitFor();
  await page.keyboard.type(" nobody");
  await page.getByRole("heading", { name: "No user is like this" }).waitFor();
  await page.getByRole("button", { name: `Show all ${all}` }).click();
  await expect.poll(() => rows.count()).toBe(all);

  await page.goto("/settings/tokens");
  await page.getByRole("searchbox", { name: "Find a token" }).fill("backup");
  await expect
    .poll(() => page.getByRole("table", { name: "API tokens" }).getByRole("rowheader").count())
    .toBe(1);
});
