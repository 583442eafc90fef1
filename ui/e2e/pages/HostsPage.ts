import type { Locator, Page } from "playwright-core";

/** The list of hosts and the page of one, as a person sees them. */
export class HostsPage {
  readonly table: Locator;
  readonly find: Locator;

  constructor(readonly page: Page) {
    this.table = page.getByRole("table", { name: "Hosts" });
    this.find = page.getByLabel("Find a host");
  }

  async open(search = ""): Promise<void> {
    await this.page.goto(`/hosts${search}`);
    await this.find.waitFor();
  }

  async openHost(name: string, search = ""): Promise<void> {
    await this.page.goto(`/hosts/${encodeURIComponent(name)}${search}`);
    await this.page.getByRole("heading", { level: 1, name }).waitFor();
  }

  row(name: string): Locator {
    return this.table
      .getByRole("row")
      .filter({ has: this.page.getByRole("rowheader", { name, exact: true }) });
  }

  async names(): Promise<string[]> {
    return this.table.getByRole("rowheader").allInnerTexts();
  }

  sortBy(column: string): Promise<void> {
    return this.table.getByRole("columnheader").getByRole("button", { name: column, exact: true }).click();
  }

  panel(title: string): Locator {
    return this.page.getByRole("region", { name: title, exact: true });
  }

  chart(title: string): Locator {
    return this.panel(title).getByRole("img", { name: new RegExp(`^${title}`) });
  }
}
