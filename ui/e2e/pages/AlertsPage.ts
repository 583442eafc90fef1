import type { Locator, Page } from "playwright-core";

/** The list of alerts, as a person sees it. */
export class AlertsPage {
  readonly filter: Locator;

  constructor(readonly page: Page) {
    this.filter = page.getByLabel("Filter by labels");
  }

  async open(search = ""): Promise<void> {
    await this.page.goto(`/alerts${search}`);
    await this.page.getByRole("heading", { level: 1, name: "Alerts" }).waitFor();
    await this.filter.waitFor();
  }

  /** The alerts of one rule. */
  group(rule: string): Locator {
    return this.page.getByRole("region", { name: rule, exact: true });
  }

  /** The names of the rules, in the order of the page. */
  groups(): Promise<string[]> {
    return this.page.locator("main section h2").allInnerTexts();
  }

  row(sentence: string): Locator {
    return this.page.getByRole("listitem").filter({ has: this.link(sentence) });
  }

  link(sentence: string): Locator {
    return this.page.getByRole("link", { name: sentence, exact: true });
  }

  links(): Locator {
    return this.page.locator("a[data-alert]");
  }

  /** A state or a severity, with whatever count it has. */
  chip(group: "State" | "Severity", name: string): Locator {
    return this.page
      .getByRole("group", { name: group })
      .getByRole("button", { name: new RegExp(`^${name}`) });
  }

  async sortBy(order: string): Promise<void> {
    await this.page.getByRole("button", { name: /^Order:/ }).click();
    await this.page.getByRole("button", { name: order, exact: true }).click();
  }
}
