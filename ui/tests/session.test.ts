import { expect, test } from "vitest";
import { LoginPage } from "../e2e/pages/LoginPage";
import { makeRecords } from "./fixture/records";
import { openLogs, server, withFixture, withQuery } from "./harness";

withFixture();

test("without a session the linked view asks for one and then shows itself", async () => {
  server.endSession();
  const logs = await openLogs();
  await logs.page.goto(`/logs${withQuery("deadline")}`);
  const login = new LoginPage(logs.page);
  await login.heading.waitFor();
  await login.signIn("admin", "wrong");
  await expect.poll(() => login.error.textContent()).toContain("User or password is wrong.");
  await login.signIn("admin", server.password);
  await logs.rows.first().waitFor();
  expect(await logs.query.inputValue()).toBe("deadline");
});

test("too many attempts: says how long to wait", async () => {
  server.endSession();
  const logs = await openLogs();
  await logs.page.goto("/logs");
  const login = new LoginPage(logs.page);
  for (let attempt = 0; attempt < 4; attempt += 1) {
    await login.signIn("admin", "wrong");
    await login.error.waitFor();
    await logs.page.waitForTimeout(100);
  }
  expect(await login.error.textContent()).toMatch(/Too many attempts\. Try again in 20\ss\./);
  expect(await login.submit.isDisabled()).toBe(true);
});

test("a session that ends while the page is open leads to the login page; signing out too", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("deadline"));
  await logs.rows.first().waitFor();
  server.endSession();
  await logs.page.keyboard.press("r");
  const login = new LoginPage(logs.page);
  await login.signIn("admin", server.password);
  await logs.rows.first().waitFor();
  await logs.signOut();
  await login.heading.waitFor();
});

test("before the first record: how to send, what arrived, then the logs", async () => {
  server.records = [];
  const logs = await openLogs();
  await logs.page.goto("/logs");
  await logs.page.getByRole("heading", { name: "Send your first data" }).waitFor();
  expect(await logs.page.getByRole("figure", { name: "Start an agent" }).innerText()).toContain(
    "http://127.0.0.1:7071",
  );
  await logs.page.getByText("none yet", { exact: true }).waitFor();
  server.records = makeRecords(88);
  server.agents = [{ id: "app-1", last_seen: new Date().toISOString() }];
  await logs.page.getByText("Agent app-1 connected").waitFor();
  await logs.page.getByText(/88 records, newest 10:17:/).waitFor();
  await logs.page.getByRole("button", { name: "Open logs" }).click();
  await logs.rows.first().waitFor();
});

test("dark, light and the system's scheme; the choice survives a reload", async () => {
  const logs = await openLogs({ scheme: "dark" });
  const canvas = () => logs.page.evaluate("getComputedStyle(document.body).backgroundColor");
  await logs.open();
  expect(await canvas()).toBe("rgb(11, 15, 21)");
  await logs.setScheme("Light");
  expect(await canvas()).toBe("rgb(245, 246, 248)");
  await logs.page.reload();
  await logs.rows.first().waitFor();
  expect(await canvas()).toBe("rgb(245, 246, 248)");
  await logs.setScheme("As the system");
  expect(await canvas()).toBe("rgb(11, 15, 21)");
});

test("an unknown address says so", async () => {
  const logs = await openLogs();
  await logs.page.goto("/nowhere");
  await logs.page.getByRole("heading", { name: "There is no page at this address" }).waitFor();
  await logs.page.getByRole("link", { name: "Open logs" }).click();
  await logs.rows.first().waitFor();
});
