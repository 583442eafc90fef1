// Rules, silences, receivers and settings in every state, in both schemes and three sizes.
import { ReceiversPage } from "../e2e/pages/ReceiversPage";
import { RulesPage } from "../e2e/pages/RulesPage";
import { SettingsPage } from "../e2e/pages/SettingsPage";
import { SilencesPage } from "../e2e/pages/SilencesPage";
import { someSilences } from "./fixture/notify";
import { server, withFixture } from "./harness";
import { describeLooks } from "./looks";

withFixture();

describeLooks({
  rules: async ({ page }) => {
    const rules = new RulesPage(page);
    await rules.open();
    await rules.row("HostCpuPressure").waitFor();
  },
  "rules-drawer": async ({ page }) => {
    const rules = new RulesPage(page);
    await rules.open("?rule=hosts/HostCpuPressure");
    await rules.drawer("HostCpuPressure").waitFor();
  },
  "rules-none": async ({ page }) => {
    server.rules.none = true;
    await new RulesPage(page).open();
    await page.getByRole("heading", { name: "There are no rules" }).waitFor();
  },
  silences: async ({ page }) => {
    server.alerts.silences = someSilences();
    const silences = new SilencesPage(page);
    await silences.open();
    await silences.row("mq-1").getByText("1 alert").waitFor();
  },
  "silences-end": async ({ page }) => {
    server.alerts.silences = someSilences();
    const silences = new SilencesPage(page);
    await silences.open();
    await silences.table.getByRole("button", { name: 'End {host_name="mq-1"}' }).click();
    await page.getByRole("dialog").waitFor();
  },
  "silences-expired": async ({ page }) => {
    server.alerts.silences = someSilences();
    server.role = "viewer";
    const silences = new SilencesPage(page);
    await silences.open("?state=expired");
    await silences.row("old-1").waitFor();
  },
  silence: async ({ page }) => {
    server.alerts.silences = someSilences();
    await page.goto("/alerts/silences/wide");
    await page.getByLabel("Comment").waitFor();
    await page
      .getByRole("region", { name: "What it matches now" })
      .getByText(/of \d+ open/)
      .waitFor();
  },
  receivers: async ({ page }) => {
    const receivers = new ReceiversPage(page);
    await receivers.open();
    await receivers.testButton("shop-team").click();
    await receivers
      .receiver("shop-team")
      .getByText(/^The test failed/)
      .waitFor();
  },
  "receivers-nobody": async ({ page }) => {
    server.notify.shipped();
    await new ReceiversPage(page).open();
    await page.getByRole("region", { name: "Nobody is told" }).waitFor();
  },
  "receivers-broken": async ({ page }) => {
    server.notify.broken();
    const receivers = new ReceiversPage(page);
    await receivers.open();
    await receivers.receiver("on-call").waitFor();
  },
  users: async ({ page }) => {
    const settings = new SettingsPage(page);
    await settings.open("users");
    await settings.row("Users", "trainee").waitFor();
  },
  "users-viewer": async ({ page }) => {
    server.role = "viewer";
    const settings = new SettingsPage(page);
    await settings.open("users");
    await page.getByText(/^You are a viewer/).waitFor();
  },
  "users-create": async ({ page }) => {
    server.access.otherTenants = [{ name: "shop", role: "admin" }];
    const settings = new SettingsPage(page);
    await settings.open("users");
    await settings.row("Users", "trainee").waitFor();
    await page.getByRole("button", { name: "New user" }).click();
    await settings.dialog.getByRole("button", { name: "Create the user" }).click();
    await settings.dialog.getByText("Give at least one role.").waitFor();
  },
  tokens: async ({ page }) => {
    const settings = new SettingsPage(page);
    await settings.open("tokens");
    await settings.row("API tokens", "ci").waitFor();
  },
  "tokens-create": async ({ page }) => {
    server.access.otherTenants = [{ name: "shop", role: "admin" }];
    const settings = new SettingsPage(page);
    await settings.open("tokens");
    await page.getByRole("button", { name: "New token" }).click();
    await settings.dialog.getByLabel("Name", { exact: true }).fill("agents");
  },
  "tokens-made": async ({ page }) => {
    const settings = new SettingsPage(page);
    await settings.open("tokens");
    await settings.createToken("agents", ["ingest"]);
  },
  tenants: async ({ page }) => {
    const settings = new SettingsPage(page);
    await settings.open("tenants");
    await settings.row("Tenants", /^default/).waitFor();
  },
  storage: async ({ page }) => {
    const settings = new SettingsPage(page);
    await settings.open("storage");
    await page.getByRole("img").first().waitFor();
  },
  account: async ({ page }) => {
    const settings = new SettingsPage(page);
    await settings.open("account");
    await settings.row("Sessions", "night-shift").waitFor();
  },
  "account-failed": async ({ page }) => {
    server.failing.add("/sessions");
    await new SettingsPage(page).open("account");
    await page.getByRole("alert").waitFor();
  },
  more: async ({ page }) => {
    server.access.otherTenants = [{ name: "shop", role: "viewer" }];
    await new SettingsPage(page).open("account");
    if ((page.viewportSize()?.width ?? 0) < 640) await page.getByRole("button", { name: "More" }).tap();
    else await page.getByRole("button", { name: "tenant default" }).click();
    await page.getByText(/^shop/).first().waitFor();
  },
});
