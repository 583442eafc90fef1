// The search for traces, by role and visible text.
import type { Locator, Page } from "playwright-core";

export class TracesPage {
  readonly query: Locator;
  readonly table: Locator;
  readonly rows: Locator;
  readonly scatter: Locator;

  constructor(readonly page: Page) {
    this.query = page.getByLabel("Query", { exact: true });
    this.table = page.getByRole("table", { name: "Traces" });
    this.rows = this.table.getByRole("row").filter({ has: page.getByRole("cell") });
    this.scatter = page.getByRole("img", { name: /^Durations of traces over time/ });
  }

  async open(search = ""): Promise<void> {
    await this.page.goto(`/traces${search}`);
    await this.query.waitFor();
  }

  async search(query: string): Promise<void> {
    await this.query.fill(query);
    await this.query.press("Enter");
  }

  order(name: "Newest" | "Slowest" | "Oldest"): Locator {
    return this.page.getByRole("group", { name: "Order" }).getByRole("button", { name });
  }

  /** How many traces match, by the headline. */
  async matched(): Promise<number> {
    const text = await this.page.getByRole("heading", { name: /^Traces \d/ }).innerText();
    return Number(/[\d,]+/.exec(text)?.[0].replaceAll(",", "") ?? Number.NaN);
  }

  params(): URLSearchParams {
    return new URL(this.page.url()).searchParams;
  }
}
