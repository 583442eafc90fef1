import { expect, test } from "vitest";
import { phone } from "../e2e/pages/browser";
import { LoginPage } from "../e2e/pages/LoginPage";
import { SettingsPage } from "../e2e/pages/SettingsPage";
import { openLogs, server, withFixture } from "./harness";

withFixture();

async function openSettings(name: Parameters<SettingsPage["open"]>[0]): Promise<SettingsPage> {
  const settings = new SettingsPage((await openLogs()).page);
  await settings.open(name);
  return settings;
}

const plain = (text: string) => text.replaceAll("\u00a0", " ").replace(/\s+/g, " ");

test("users: what each may do, who cannot log in, and who cannot be deleted", async () => {
  const settings = await openSettings("users");
  expect(plain(await settings.row("Users", /^admin/).innerText())).toMatch(
    /^admin you admin everywhere allowed/,
  );
  expect(plain(await settings.row("Users", "shop-dashboards").innerText())).toContain(
    "viewer of default, editor of shop",
  );
  expect(plain(await settings.row("Users", "trainee").innerText())).toContain("disabled");
  expect(await settings.page.getByRole("button", { name: "Delete admin" }).isDisabled()).toBe(true);
  const own = settings.page.getByRole("button", { name: "New password for admin" });
  expect(await own.getAttribute("title")).toBe("Your own is changed under Your account");
});

test("a user is made; what is missing is said first", async () => {
  server.access.otherTenants = [{ name: "shop", role: "admin" }];
  const settings = await openSettings("users");
  await settings.page.getByRole("button", { name: "New user" }).click();
  await settings.dialog.getByRole("button", { name: "Create the user" }).click();
  for (const said of ["Name the user.", "At least 12 characters.", "Give at least one role."])
    await settings.dialog.getByText(said).waitFor();
  await settings.dialog.getByLabel("Name", { exact: true }).fill("admin");
  await settings.dialog.getByText("There is a user admin already.").waitFor();
  await settings.dialog.getByRole("button", { name: "Cancel" }).click();
  await settings.createUser("weekend", "a long enough one", { default: "viewer", shop: "editor" });
  expect(plain(await settings.row("Users", "weekend").innerText())).toContain(
    "viewer of default, editor of shop",
  );
  expect(server.access.users.find(({ name }) => name === "weekend")?.roles).toEqual({
    default: "viewer",
    shop: "editor",
  });
});

test("roles and logging in are changed, a password is set, a user is deleted by name", async () => {
  const settings = await openSettings("users");
  await settings.page.getByRole("button", { name: "Change night-shift" }).click();
  await settings.dialog.getByLabel("Role of default").selectOption("admin");
  await settings.dialog.getByLabel(/^Disabled/).check();
  await settings.dialog.getByRole("button", { name: "Save" }).click();
  await expect
    .poll(async () => plain(await settings.row("Users", "night-shift").innerText()))
    .toContain("admin of default disabled");
  await settings.page.getByRole("button", { name: "New password for night-shift" }).click();
  await settings.dialog.getByLabel("New password", { exact: true }).fill("short");
  await settings.dialog.getByRole("button", { name: "Set the password" }).click();
  await settings.dialog.getByText("At least 12 characters.").waitFor();
  await settings.dialog.getByLabel("New password", { exact: true }).fill("long enough by now");
  await settings.dialog.getByRole("button", { name: "Set the password" }).click();
  await settings.dialog.waitFor({ state: "detached" });
  await settings.page.getByRole("button", { name: "Delete trainee" }).click();
  await settings.page.getByRole("dialog", { name: "Delete the user trainee?" }).waitFor();
  await settings.dialog.getByRole("button", { name: "Delete trainee" }).click();
  await expect.poll(() => settings.row("Users", "trainee").count()).toBe(0);
});

test("what the collector refuses is said in the dialog, which stays", async () => {
  server.failing.add("DELETE /users/trainee");
  const settings = await openSettings("users");
  await settings.page.getByRole("button", { name: "Delete trainee" }).click();
  await settings.dialog.getByRole("button", { name: "Delete trainee" }).click();
  await settings.dialog
    .getByRole("alert")
    .getByText(/document store/)
    .waitFor();
  await settings.page.keyboard.press("Escape");
  await settings.row("Users", "trainee").waitFor();
});

test("a token is made and its text shown once; it is revoked by name", async () => {
  const settings = await openSettings("tokens");
  const text = await settings.createToken("exporter", ["ingest", "read"]);
  expect(text).toMatch(/^nrw_/);
  await settings.dialog.getByRole("button", { name: "Copy" }).click();
  expect(await settings.page.evaluate("navigator.clipboard.readText()")).toBe(text);
  await settings.dialog.getByRole("button", { name: "It is stored" }).click();
  expect(plain(await settings.row("API tokens", "exporter").innerText())).toMatch(
    /^exporter ingest read default in 90 d never 2026-11-25 10:17:40 by admin/,
  );
  expect(await settings.page.getByText(text).count()).toBe(0);
  await settings.page.getByRole("button", { name: "Revoke ci", exact: true }).click();
  await settings.page.getByRole("dialog", { name: "Revoke the token ci?" }).waitFor();
  expect(await settings.dialog.innerText()).toContain("last used at 2026-11-25 07:17:40 UTC");
  await settings.dialog.getByRole("button", { name: "Revoke ci" }).click();
  await expect.poll(() => settings.row("API tokens", /^ci$/).count()).toBe(0);
});

test("tokens that expire, that have expired, and that stand in the configuration", async () => {
  const settings = await openSettings("tokens");
  expect(plain(await settings.row("API tokens", "ci").innerText())).toContain("in 8 d 8 h");
  expect(plain(await settings.row("API tokens", "old backup").innerText())).toMatch(
    /every tenant expired 20 h ago/,
  );
  const configured = settings.page.getByRole("button", { name: /^Revoke ingest token/ });
  expect(await configured.isDisabled()).toBe(true);
  expect(await configured.getAttribute("title")).toMatch(/configuration/);
});

test("tenants: limits and how full they are", async () => {
  const settings = await openSettings("tenants");
  expect(plain(await settings.row("Tenants", /^default/).innerText())).toMatch(
    /^default shown now admin 15 d 19\.1 MiB\/s 871 k of 1\.0 M, 87 % 200 k/,
  );
  expect(plain(await settings.row("Tenants", /^trial/).innerText())).toContain(
    "no longer configured no role",
  );
});

test("storage: how long, how much, and each tenant's share as a bar", async () => {
  const settings = await openSettings("storage");
  const region = settings.page.getByRole("region", { name: "Storage by tenant" });
  const bars = region.getByRole("img");
  await bars.first().waitFor();
  expect(plain((await bars.first().getAttribute("aria-label")) ?? "")).toBe(
    "default: logs 41.3 GiB, metrics 8.2 GiB, traces 12.9 GiB",
  );
  const widths = await bars.evaluateAll((all) =>
    all.map((bar) => [...bar.children].reduce((sum, part) => sum + part.getBoundingClientRect().width, 0)),
  );
  expect((widths[1] ?? 0) / (widths[0] ?? 1)).toBeCloseTo(2.5 / 62.4, 1);
  expect(plain(await settings.page.locator("main dl").innerText())).toBe(
    "Kept for 15 d On disk 65 GiB Journals 358 MiB",
  );
});

test("the own password: the wrong one is refused, the right one ends the other sessions", async () => {
  const settings = await openSettings("account");
  await settings.row("Sessions", /this one/).waitFor();
  expect(await settings.page.getByRole("table", { name: "Sessions" }).getByRole("rowheader").count()).toBe(3);
  const [current, next] = ["Current password", "New password"].map((label) =>
    settings.page.getByLabel(label, { exact: true }),
  ) as [ReturnType<typeof settings.page.getByLabel>, ReturnType<typeof settings.page.getByLabel>];
  const save = settings.page.getByRole("button", { name: "Change the password" });
  await current.fill("guessed it wrongly");
  await next.fill("a new and long one");
  await save.click();
  await settings.page.getByRole("alert").getByText("The current password is wrong.").waitFor();
  await current.fill("correct horse battery");
  await save.click();
  await settings.page.getByText("Changed. Your other sessions have ended.").waitFor();
  await expect
    .poll(() => settings.page.getByRole("table", { name: "Sessions" }).getByRole("rowheader").count())
    .toBe(2);
  expect(await current.inputValue()).toBe("");
});

test("a session is ended by its user and address; one's own is not", async () => {
  const settings = await openSettings("account");
  await settings.page.getByRole("button", { name: "End the session of night-shift from 10.0.9.2" }).click();
  await settings.page
    .getByRole("dialog", { name: "End the session of night-shift from 10.0.9.2?" })
    .waitFor();
  await settings.dialog.getByRole("button", { name: "End the session" }).click();
  await expect.poll(() => settings.row("Sessions", "night-shift").count()).toBe(0);
  const own = settings.page.getByRole("button", { name: "End the session of admin from 10.0.4.17" });
  expect(await own.isDisabled()).toBe(true);
});

test.each(["viewer", "editor"] as const)(
  "%s: what is not allowed says why, and is not asked for",
  async (role) => {
    server.role = role;
    const settings = await openSettings("users");
    await settings.page
      .getByText(/^You are (a viewer|an editor) of default: only its admins may do this\.$/)
      .waitFor();
    expect(await settings.page.getByRole("button", { name: "New user" }).isDisabled()).toBe(true);
    await settings.open("tokens");
    expect(await settings.page.getByRole("button", { name: "New token" }).isDisabled()).toBe(true);
    await settings.open("storage");
    await settings.page.getByText("On disk, of your tenants").waitFor();
    expect(server.requests.filter((path) => /^\/(users|tokens)/.test(path))).toEqual([]);
  },
);

test("another tenant is another app: everything is asked for anew, in its name, and its role counts", async () => {
  server.access.otherTenants = [{ name: "shop", role: "viewer" }];
  const settings = await openSettings("users");
  await settings.row("Users", "trainee").waitFor();
  const before = server.requests.length;
  expect(server.scopes.every((scope) => scope === "")).toBe(true);
  await settings.page.getByRole("button", { name: "tenant default" }).click();
  await settings.page.getByRole("button", { name: /^shop/ }).click();
  await settings.page.getByText("You are a viewer of shop: only its admins may do this.").waitFor();
  await settings.page.goto("/logs");
  await settings.page.getByRole("treegrid", { name: "Log records" }).waitFor();
  const asked = server.requests.map((path, at) => ({ path, scope: server.scopes[at] })).slice(before);
  const named = asked.filter(({ path }) => path !== "/session");
  // Who one is does not depend on where one looks.
  expect(asked.filter(({ path, scope }) => path === "/session" && scope !== "")).toEqual([]);
  expect(named.length).toBeGreaterThan(0);
  expect(new Set(named.map(({ scope }) => scope))).toEqual(new Set(["shop"]));
  await settings.page.getByRole("button", { name: "tenant shop" }).waitFor();
});

test("who logs in next and has no role in that tenant looks at their own", async () => {
  server.access.otherTenants = [{ name: "shop", role: "viewer" }];
  const settings = await openSettings("account");
  await settings.page.getByRole("button", { name: "tenant default" }).click();
  await settings.page.getByRole("button", { name: /^shop/ }).click();
  await settings.page.getByRole("button", { name: "tenant shop" }).waitFor();
  await settings.row("Sessions", /this one/).waitFor();
  await settings.page.getByRole("navigation", { name: "Pages" }).getByRole("button").last().click();
  await settings.page.getByRole("button", { name: "Sign out" }).click();
  const login = new LoginPage(settings.page);
  await login.heading.waitFor();
  server.access.otherTenants = [];
  const before = server.scopes.length;
  await login.signIn("admin", server.password);
  await settings.row("Sessions", /this one/).waitFor();
  expect(server.scopes.slice(before).every((scope) => scope === "")).toBe(true);
});

test("on a phone the tenant is in the sheet", async () => {
  server.access.otherTenants = [{ name: "shop", role: "viewer" }];
  const { page } = await openLogs({ size: phone, touch: true });
  await page.goto("/settings/account");
  await page.getByRole("button", { name: "More" }).tap();
  await page.getByRole("dialog", { name: "More" }).getByRole("button", { name: "shop, viewer" }).tap();
  await page.getByRole("button", { name: "More" }).tap();
  await page.getByRole("dialog", { name: "More" }).getByText("admin, viewer of tenant shop").waitFor();
});
