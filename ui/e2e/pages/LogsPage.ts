import type { Locator, Page } from "playwright-core";

/** The logs page as a person sees it: by role and visible text. */
export class LogsPage {
  readonly query: Locator;
  readonly grid: Locator;
  readonly histogram: Locator;
  readonly run: Locator;
  readonly rangeButton: Locator;
  readonly linkedRecord: Locator;

  constructor(readonly page: Page) {
    this.query = page.getByLabel("Query", { exact: true });
    this.grid = page.getByRole("treegrid", { name: "Log records" });
    this.histogram = page.getByRole("img", { name: /Records over time/ });
    this.run = page.getByRole("button", { name: "Run" });
    this.rangeButton = page.getByRole("button", { name: /^Time range:/ });
    this.linkedRecord = page.getByRole("region", { name: "Linked record" });
  }

  async open(search = ""): Promise<void> {
    await this.page.goto(`/logs${search}`);
    await this.query.waitFor();
  }

  async search(text: string): Promise<void> {
    await this.query.fill(text);
    await this.query.press("Enter");
  }

  /** The visible records, without the header. */
  get rows(): Locator {
    return this.grid.locator('[role="row"][aria-expanded]');
  }

  row(text: string | RegExp): Locator {
    return this.rows.filter({ hasText: text });
  }

  /** The open record's cell. */
  get record(): Locator {
    return this.page.locator('[role="gridcell"][aria-colspan]');
  }

  /** Opens the facets where they are not beside the rows. What is counted does not matter: that may take a while. */
  async showFacets(): Promise<void> {
    const button = this.page.getByRole("button", { name: "Facets", exact: true });
    if ((await button.getAttribute("aria-expanded")) === "false") await button.click();
  }

  /** One facet, at the left or in the drawer. */
  facet(field: string): Locator {
    return this.page.getByRole("region", { name: `Facet ${field}`, exact: true });
  }

  /** A value of a facet; its name begins with the value and ends with the count. */
  facetValue(field: string, value: string): Locator {
    return this.facet(field).getByRole("checkbox", { name: value });
  }

  /** The visible patterns, without the header. */
  get patterns(): Locator {
    return this.page.getByRole("treegrid", { name: "Patterns" }).locator('[role="row"][aria-expanded]');
  }

  pattern(text: string): Locator {
    return this.patterns.filter({ hasText: text });
  }

  /** A row of the live tail. */
  liveRow(text: string): Locator {
    return this.page
      .getByRole("treegrid", { name: "Live records" })
      .locator('[role="row"][aria-expanded]')
      .filter({ hasText: text });
  }

  /** Named after the view that is shown. */
  get viewsButton(): Locator {
    return this.page.getByRole("banner").getByRole("button", { name: /^Saved views/ });
  }

  savedView(name: string): Locator {
    return this.page
      .getByRole("dialog", { name: "Saved views" })
      .getByRole("listitem")
      .filter({ hasText: name });
  }

  /** Keeps what is shown; the list of views stays open. */
  async saveView(name: string): Promise<void> {
    await this.viewsButton.click();
    await this.page.getByLabel("Save what is shown as").fill(name);
    await this.page.keyboard.press("Enter");
    await this.savedView(name).waitFor();
  }

  async deleteView(name: string): Promise<void> {
    await this.viewsButton.click();
    const button = this.page.getByRole("button", { name: `Delete ${name}` });
    await button.click();
    await this.page.getByText(`Delete “${name}” for everyone?`).waitFor();
    await button.click();
    await this.savedView(name).waitFor({ state: "detached" });
  }

  /** A range by the name that the time panel gives it. */
  async chooseRange(name: string): Promise<void> {
    await this.rangeButton.click();
    await this.page.getByRole("button", { name, exact: true }).click();
  }

  get columnNames(): Promise<string[]> {
    return this.grid.getByRole("columnheader").allInnerTexts();
  }

  get queryError(): Locator {
    return this.page.locator("search").getByRole("status");
  }

  get underlined(): Locator {
    return this.page.locator("search [data-underlined]");
  }

  /** The number in "Records 1,234". */
  async matched(): Promise<number> {
    const heading = await this.page.getByRole("tab", { name: /^Records/ }).textContent();
    return Number((heading ?? "").replace(/\D/g, ""));
  }

  /** Drags over a part of the histogram, given as shares of its width. */
  async dragHistogram(from: number, to: number): Promise<void> {
    const box = await this.histogram.boundingBox();
    if (!box) throw new Error("the histogram is not visible");
    const y = box.y + box.height / 2;
    await this.page.mouse.move(box.x + box.width * from, y);
    await this.page.mouse.down();
    await this.page.mouse.move(box.x + box.width * ((from + to) / 2), y);
    await this.page.mouse.move(box.x + box.width * to, y);
    await this.page.mouse.up();
  }

  async scrollBy(pixels: number): Promise<void> {
    await this.grid.evaluate((grid, by) => grid.scrollBy(0, by), pixels);
  }

  async setScheme(name: "Dark" | "Light" | "As the system"): Promise<void> {
    await this.page.getByRole("navigation", { name: "Pages" }).getByRole("button").last().click();
    await this.page.getByRole("button", { name, exact: true }).click();
  }

  async signOut(): Promise<void> {
    await this.page.getByRole("navigation", { name: "Pages" }).getByRole("button").last().click();
    await this.page.getByRole("button", { name: "Sign out" }).click();
  }
}
