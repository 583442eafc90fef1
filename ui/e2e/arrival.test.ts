// What the very first person sees: the login, and a collector without any record. Runs before the others send some.
import { expect, test } from "vitest";
import { api, appendLine, password } from "./environment";
import { axeViolations, shoot } from "./pages/browser";
import { LoginPage } from "./pages/LoginPage";
import { signedIn, signedOut, withBrowser } from "./session";

withBrowser();

test("the first visit asks for a password, refuses a wrong one and lets the right one in", async () => {
  const page = await signedOut();
  await page.goto("/logs");
  const login = new LoginPage(page);
  await login.heading.waitFor();
  expect(await axeViolations(page)).toEqual([]);
  await shoot(page, "login-dark");
  await login.signIn("admin", `not ${password}`);
  await expect.poll(() => login.error.textContent()).toContain("User or password is wrong.");
  await login.signIn("admin", password);
  await page.getByRole("heading", { name: "Logs", level: 1 }).waitFor();
});

test("before the first record it tells how to send, and shows the first one arrive", async () => {
  const { logs: stored } = (await api("/status")) as { logs: { sent: number } };
  expect(stored.sent, "records that were sent before this test: it wants a fresh collector").toBe(0);
  const logs = await signedIn();
  await logs.page.getByRole("heading", { name: "Send your first data" }).waitFor();
  expect(await axeViolations(logs.page)).toEqual([]);
  await shoot(logs.page, "first-dark-1440");
  appendLine("the first line of all");
  await logs.page.getByRole("button", { name: "Open logs" }).click({ timeout: 15_000 });
  await logs.row("the first line of all").waitFor();
});
