import type { Locator, Page } from "playwright-core";

/** The silences, as a person sees them. */
export class SilencesPage {
  readonly table: Locator;
  readonly find: Locator;

  constructor(readonly page: Page) {
    this.table = page.getByRole("table", { name: "Silences" });
    this.find = page.getByLabel("Find a silence");
  }

  async open(search = ""): Promise<void> {
    await this.page.goto(`/alerts/silences${search}`);
    await this.page.getByRole("heading", { level: 1, name: "Silences" }).waitFor();
  }

  get rows(): Locator {
    return this.table.getByRole("row").filter({ has: this.page.getByRole("rowheader") });
  }

  /** By its matchers, or what else its row says. */
  row(text: string): Locator {
    return this.rows.filter({ hasText: text });
  }

  state(name: string): Locator {
    return this.page
      .getByRole("group", { name: "State" })
      .getByRole("button", { name: new RegExp(`^${name}`) });
  }

  async end(filter: string): Promise<void> {
    await this.table.getByRole("button", { name: `End ${filter}` }).click();
    await this.page.getByRole("dialog").getByRole("button", { name: "End the silence" }).click();
  }
}
