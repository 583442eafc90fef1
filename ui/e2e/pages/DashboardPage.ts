import type { Locator, Page } from "playwright-core";

/** The list of dashboards and one of them, as a person sees them. */
export class DashboardPage {
  constructor(readonly page: Page) {}

  async open(path: string): Promise<void> {
    await this.page.goto(path);
    await this.page.getByRole("heading", { level: 1 }).waitFor();
  }

  row(title: string): Locator {
    return this.page.getByRole("row").filter({ has: this.page.getByRole("rowheader", { name: title }) });
  }

  panel(title: string): Locator {
    return this.page.getByRole("region", { name: title, exact: true });
  }

  chart(title: string): Locator {
    return this.panel(title).getByRole("img", { name: new RegExp(`^${title.replace(/[$(]/g, "\\$&")}`) });
  }

  /** One of the tools that a panel shows under the pointer. */
  async tool(panel: string, name: string): Promise<void> {
    await this.panel(panel).hover();
    await this.page.getByRole("button", { name, exact: true }).click();
  }

  /** The PromQL that was asked with this in it. */
  asked(requests: string[], part: string): string[] {
    return requests
      .filter((request) => /^\/query(_range)?\?/.test(request))
      .map((request) => new URLSearchParams(request.slice(request.indexOf("?") + 1)).get("query") ?? "")
      .filter((query) => query.includes(part));
  }
}
