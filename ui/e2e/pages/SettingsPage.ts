import type { Locator, Page } from "playwright-core";

/** The settings, as a person sees them. */
export class SettingsPage {
  readonly dialog: Locator;

  constructor(readonly page: Page) {
    this.dialog = page.getByRole("dialog");
  }

  async open(name: "users" | "tokens" | "tenants" | "storage" | "account"): Promise<void> {
    await this.page.goto(`/settings/${name}`);
    await this.page.getByRole("navigation", { name: "Settings" }).waitFor();
  }

  row(table: string, name: string | RegExp): Locator {
    return this.page
      .getByRole("table", { name: table })
      .getByRole("row")
      .filter({ has: this.page.getByRole("rowheader", { name }) });
  }

  /** The user's name, first password and roles; the dialog closes when they are there. */
  async createUser(name: string, password: string, roles: Record<string, string>): Promise<void> {
    await this.page.getByRole("button", { name: "New user" }).click();
    await this.dialog.getByLabel("Name", { exact: true }).fill(name);
    await this.dialog.getByLabel("Password", { exact: true }).fill(password);
    for (const [tenant, role] of Object.entries(roles))
      await this.dialog.getByLabel(`Role of ${tenant}`, { exact: true }).selectOption(role);
    await this.dialog.getByRole("button", { name: "Create the user" }).click();
    await this.dialog.waitFor({ state: "detached" });
  }

  /** Answers with the token's text. */
  async createToken(name: string, scopes: string[]): Promise<string> {
    await this.page.getByRole("button", { name: "New token" }).click();
    await this.dialog.getByLabel("Name", { exact: true }).fill(name);
    for (const scope of ["ingest", "read", "write", "admin"])
      await this.dialog
        .getByRole("checkbox", { name: new RegExp(`^${scope} `) })
        .setChecked(scopes.includes(scope));
    await this.dialog.getByRole("button", { name: "Create the token" }).click();
    await this.page.getByRole("heading", { name: `The token ${name}` }).waitFor();
    return this.dialog.locator("code").first().innerText();
  }
}
