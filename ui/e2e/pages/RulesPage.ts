import type { Locator, Page } from "playwright-core";

/** The rules, as a person sees them. */
export class RulesPage {
  readonly find: Locator;

  constructor(readonly page: Page) {
    this.find = page.getByLabel("Find a rule");
  }

  async open(search = ""): Promise<void> {
    await this.page.goto(`/alerts/rules${search}`);
    await this.page.getByRole("heading", { level: 1, name: "Rules" }).waitFor();
  }

  get rows(): Locator {
    return this.page.getByRole("row").filter({ has: this.page.getByRole("rowheader") });
  }

  row(name: string): Locator {
    return this.page
      .getByRole("row")
      .filter({ has: this.page.getByRole("rowheader", { name, exact: true }) });
  }

  state(name: string): Locator {
    return this.page
      .getByRole("group", { name: "State" })
      .getByRole("button", { name: new RegExp(`^${name}`) });
  }

  drawer(name: string): Locator {
    return this.page.getByRole("complementary", { name, exact: true });
  }

  problems(file: string): Locator {
    return this.page.getByRole("region", { name: `Problems of ${file}` });
  }
}
