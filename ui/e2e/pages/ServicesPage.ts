import type { Locator, Page } from "playwright-core";

/** The list of services, the page of one, and the map, as a person sees them. */
export class ServicesPage {
  readonly table: Locator;
  readonly find: Locator;
  readonly map: Locator;
  readonly drawer: Locator;

  constructor(readonly page: Page) {
    this.table = page.getByRole("table", { name: "Services" });
    this.find = page.getByLabel("Find a service");
    this.map = page.getByRole("region", { name: "Service map" });
    this.drawer = page
      .getByRole("complementary")
      .filter({ has: page.getByRole("button", { name: "Close" }) });
  }

  async open(search = ""): Promise<void> {
    await this.page.goto(`/services${search}`);
    await this.page.getByRole("heading", { level: 1, name: "Services" }).waitFor();
  }

  async openService(name: string, search = ""): Promise<void> {
    await this.page.goto(`/services/${encodeURIComponent(name)}${search}`);
    await this.page.getByRole("heading", { level: 1, name }).waitFor();
  }

  async openMap(search = ""): Promise<void> {
    await this.page.goto(`/services/map${search}`);
    await this.map.waitFor();
  }

  row(name: string): Locator {
    return this.table.getByRole("row").filter({ has: this.page.getByRole("link", { name, exact: true }) });
  }

  async names(): Promise<string[]> {
    return this.table.locator("a[data-service]").allInnerTexts();
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

  node(name: string): Locator {
    return this.map.locator(`[data-node="${name}"]`);
  }

  edge(client: string, server: string): Locator {
    return this.map.locator(`[data-edge="${client} ${server}"]`);
  }
}
