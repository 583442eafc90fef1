import { expect, test } from "vitest";
import type { LogsPage } from "../e2e/pages/LogsPage";
import { openLogs, server, withFixture, withQuery } from "./harness";

withFixture();

const button = (logs: LogsPage) => logs.page.getByRole("button", { name: /^Saved views/ });
const panel = (logs: LogsPage) => logs.page.getByRole("dialog", { name: "Saved views" });
const item = (logs: LogsPage, name: string) => panel(logs).getByRole("listitem").filter({ hasText: name });

async function openPanel(logs: LogsPage): Promise<void> {
  await button(logs).click();
  await panel(logs).waitFor();
}

test("what is shown is saved under a name, and the name opens it", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("deadline", { from: "now-3h", to: "now", columns: "service,body" }));
  await openPanel(logs);
  await panel(logs)
    .getByText(/No view is saved/)
    .waitFor();
  await logs.page.keyboard.type("Late calls");
  await logs.page.keyboard.press("Enter");
  await item(logs, "Late calls").waitFor();
  expect(server.views.views[0]).toMatchObject({
    name: "Late calls",
    page: "logs",
    state: { query: "deadline", from: "now-3h", to: "now", columns: "service,body" },
  });
  await logs.page.keyboard.press("Escape");
  expect(await button(logs).textContent()).toBe("Late calls");

  await logs.search("sku");
  await expect.poll(() => button(logs).textContent()).toBe("Saved views");
  await openPanel(logs);
  await item(logs, "Late calls")
    .getByRole("button", { name: /^Late calls/ })
    .click();
  await expect.poll(() => logs.query.inputValue()).toBe("deadline");
  expect(new URL(logs.page.url()).searchParams.get("from")).toBe("now-3h");
});

test("a name that is taken is refused by name", async () => {
  server.views.add("Late calls", { query: "deadline" });
  const logs = await openLogs();
  await logs.open(withQuery("sku"));
  await openPanel(logs);
  await panel(logs).getByLabel("Save what is shown as").fill("Late calls");
  await panel(logs).getByRole("button", { name: "Save" }).click();
  expect(await panel(logs).getByRole("alert").textContent()).toBe('A view named "Late calls" exists.');
});

test("renamed, replaced by what is shown, deleted after a question by name", async () => {
  server.views.add("Late calls", { query: "deadline" });
  const logs = await openLogs();
  await logs.open(withQuery("sku"));
  await openPanel(logs);
  await panel(logs).getByRole("button", { name: "Rename Late calls" }).click();
  await panel(logs).getByLabel("New name of Late calls").fill("Later calls");
  await logs.page.keyboard.press("Enter");
  await item(logs, "Later calls").waitFor();

  await panel(logs).getByRole("button", { name: "Update Later calls" }).click();
  await panel(logs).getByText("Replace “Later calls” by what is shown?").waitFor();
  await panel(logs).getByRole("button", { name: "Update Later calls" }).click();
  await expect.poll(() => server.views.views[0]?.state).toEqual({ query: "sku" });
  expect(server.views.views[0]?.revision).toBe(3);

  await panel(logs).getByRole("button", { name: "Delete Later calls" }).click();
  await panel(logs).getByText("Delete “Later calls” for everyone?").waitFor();
  await panel(logs).getByRole("button", { name: "Cancel" }).click();
  expect(server.views.views.length).toBe(1);
  await panel(logs).getByRole("button", { name: "Delete Later calls" }).click();
  await panel(logs).getByRole("button", { name: "Delete Later calls" }).click();
  await panel(logs)
    .getByText(/No view is saved/)
    .waitFor();
  expect(server.views.views.length).toBe(0);
});

test("what somebody else changed meanwhile is not overwritten unasked", async () => {
  const view = server.views.add("Late calls", { query: "deadline" });
  const logs = await openLogs();
  await logs.open(withQuery("sku"));
  await openPanel(logs);
  await panel(logs).getByRole("button", { name: "Update Late calls" }).click();
  Object.assign(view, { state: { query: "theirs" }, revision: 2 });
  await panel(logs).getByRole("button", { name: "Update Late calls" }).click();
  const alert = panel(logs).getByRole("alert");
  await expect
    .poll(() => alert.textContent())
    .toContain("Not saved: somebody else changed “Late calls” at 2026-11-25");
  expect(server.views.views[0]?.state).toEqual({ query: "theirs" });
  await panel(logs).getByRole("button", { name: "Update Late calls" }).click();
  await expect.poll(() => server.views.views[0]?.state).toEqual({ query: "sku" });
});

test("a copied link is the view", async () => {
  server.views.add("Late calls", { query: "deadline", order: "oldest", unknown: 5 });
  const logs = await openLogs();
  await logs.open();
  await openPanel(logs);
  await item(logs, "Late calls").getByRole("button", { name: "Copy link" }).click();
  await item(logs, "Late calls").getByText("Copied").waitFor();
  const link = (await logs.page.evaluate("navigator.clipboard.readText()")) as string;
  expect(new URL(link).search).toBe("?query=deadline&order=oldest");
});

test("a list that does not come says so and is asked for again", async () => {
  server.failing.add("/views");
  const logs = await openLogs();
  await logs.open();
  await openPanel(logs);
  await panel(logs).getByRole("alert").waitFor();
  server.failing.clear();
  await panel(logs).getByRole("button", { name: "Try again" }).click();
  await panel(logs)
    .getByText(/No view is saved/)
    .waitFor();
});
