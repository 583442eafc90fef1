import type { Locator, Page } from "playwright-core";

/** One alert, and the form of a silence, as a person sees them. */
export class AlertPage {
  readonly headline: Locator;
  readonly silence: Locator;
  readonly form: Locator;
  readonly preview: Locator;

  constructor(readonly page: Page) {
    this.headline = page.getByRole("region", { name: "Summary" }).getByRole("heading", { level: 2 });
    this.silence = page.getByRole("link", { name: /^Silence/ });
    this.form = page.getByRole("form", { name: "Silence" });
    this.preview = page.getByRole("region", { name: "What it matches now" });
  }

  async open(fingerprint: string, search = ""): Promise<void> {
    await this.page.goto(`/alerts/${fingerprint}${search}`);
    await this.headline.waitFor();
  }

  async openSilence(filter: string): Promise<void> {
    await this.page.goto(`/alerts/silences/new?${new URLSearchParams({ filter })}`);
    await this.form.waitFor();
  }

  panel(title: string): Locator {
    return this.page.getByRole("region", { name: title, exact: true });
  }

  /** The query's drawing: of metrics, or of the records that a rule over logs counts. */
  get chart(): Locator {
    return this.page.getByRole("img", { name: /^(Query|Records that the search finds)/ });
  }

  matcher(at: number): { label: Locator; operator: Locator; value: Locator } {
    const row = this.form.getByRole("group", { name: `Matcher ${at}`, exact: true });
    return {
      label: row.getByLabel("Label"),
      operator: row.getByLabel("Operator"),
      value: row.getByLabel("Value"),
    };
  }

  async saveSilence(comment: string): Promise<void> {
    await this.form.getByLabel("Comment").fill(comment);
    await this.form.getByRole("button", { name: "Silence", exact: true }).click();
  }
}
