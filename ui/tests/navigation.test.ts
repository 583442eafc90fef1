import { expect, test } from "vitest";
import { phone } from "../e2e/pages/browser";
import type { LogsPage } from "../e2e/pages/LogsPage";
import { openLogs, server, withFixture } from "./harness";

withFixture();

const pages = ({ page }: LogsPage) => page.getByRole("navigation", { name: "Pages" });
/** The entry of the rail that is marked; the mark of Narrows leads to the overview, too. */
const current = (logs: LogsPage) =>
  pages(logs).locator('[aria-current="page"]:not([aria-label="Narrows"])').innerText();
const shown = ({ page }: LogsPage) => page.getByRole("heading", { level: 1 });

test("the rail leads to every page, and the one that is shown is marked", async () => {
  const logs = await openLogs();
  await logs.open();
  const labels = [
    "Overview",
    "Bottlenecks",
    "Services",
    "Traces",
    "Logs",
    "Metrics",
    "Dashboards",
    "Hosts",
    "Alerts",
  ];
  for (const label of labels) {
    await pages(logs)
      .getByRole("link", { name: new RegExp(`^${label}`) })
      .click();
    await expect.poll(() => shown(logs).innerText()).toBe(label);
    await expect.poll(() => current(logs)).toMatch(new RegExp(`^${label}`));
  }
  await pages(logs).getByRole("link", { name: "Settings" }).click();
  await expect.poll(() => shown(logs).innerText()).toBe("Your account");
  expect(new URL(logs.page.url()).pathname).toBe("/settings/account");
  expect(await current(logs)).toBe("Settings");
});

test("g o and g a; what lies below the alerts' address is theirs in the rail", async () => {
  const logs = await openLogs();
  await logs.open();
  await logs.page.keyboard.press("g");
  await logs.page.keyboard.press("o");
  await expect.poll(() => shown(logs).innerText()).toBe("Overview");
  expect(new URL(logs.page.url()).pathname).toBe("/");
  await logs.page.keyboard.press("g");
  await logs.page.keyboard.press("a");
  await expect.poll(() => shown(logs).innerText()).toBe("Alerts");
  await logs.page.goto("/alerts/rules");
  await expect.poll(() => shown(logs).innerText()).toBe("Rules");
  expect(await current(logs)).toMatch(/^Alerts/);
});

test("the number of firing alerts is beside their page, and nothing when none fires", async () => {
  const logs = await openLogs();
  await logs.open();
  const link = pages(logs).getByRole("link", { name: /^Alerts/ });
  const firing = server.alerts.list.filter(({ state }) => state === "firing").length;
  await expect.poll(() => link.innerText()).toMatch(new RegExp(`^Alerts\\s+${firing}\\s+firing$`));
  server.alerts.calm();
  await logs.page.reload();
  await logs.rows.first().waitFor();
  await expect.poll(() => server.requests.filter((path) => path === "/alerts").length).toBeGreaterThan(1);
  expect(await link.innerText()).toBe("Alerts");
});

test("the palette knows the new pages", async () => {
  const logs = await openLogs();
  await logs.open();
  for (const [text, heading] of [
    ["silences", "Silences"],
    ["receivers", "Receivers"],
    ["api tok", "API tokens"],
    ["storage", "Storage"],
  ] as const) {
    await logs.page.keyboard.press("Control+k");
    await logs.page.keyboard.type(text);
    await logs.page.keyboard.press("Enter");
    await expect.poll(() => shown(logs).innerText()).toBe(heading);
  }
});

test("on a phone four pages and More, which has all others", async () => {
  const logs = await openLogs({ size: phone, touch: true });
  await logs.open();
  server.alerts.calm();
  server.bottlenecks.calm();
  await logs.page.reload();
  await logs.rows.first().waitFor();
  expect(await pages(logs).locator("a, button").allInnerTexts()).toEqual([
    "Overview",
    "Bottlenecks",
    "Alerts",
    "Logs",
    "More",
  ]);
  const more = logs.page.getByRole("dialog", { name: "More" });
  for (const label of ["Traces", "Services", "Hosts", "Silences", "Users", "Narrows’ health"]) {
    await pages(logs).getByRole("button", { name: "More" }).tap();
    await more.getByRole("link", { name: label, exact: true }).tap();
    await expect.poll(() => more.count()).toBe(0);
    await expect.poll(() => shown(logs).innerText()).toBe(label === "Narrows’ health" ? "Status" : label);
  }
  await pages(logs).getByRole("button", { name: "More" }).tap();
  await more.getByRole("button", { name: "Light" }).tap();
  expect(await logs.page.evaluate("getComputedStyle(document.body).backgroundColor")).toBe(
    "rgb(245, 246, 248)",
  );
  await logs.page.keyboard.press("Escape");
  await expect.poll(() => more.count()).toBe(0);
});
