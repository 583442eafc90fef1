import type { Locator, Page } from "playwright-core";

/** The list of verdicts, and one of them, as a person sees them. */
export class VerdictPage {
  readonly headline: Locator;
  readonly path: Locator;
  readonly symptom: Locator;
  readonly funnel: Locator;
  readonly evidence: Locator;
  readonly drawer: Locator;

  constructor(readonly page: Page) {
    this.headline = page.getByRole("region", { name: "Verdict" }).getByRole("heading", { level: 2 });
    this.path = page.getByRole("region", { name: "Path", exact: true });
    this.symptom = page.getByRole("region", { name: "Symptom" });
    this.funnel = page.getByRole("region", { name: "Where it went" });
    this.evidence = page.getByRole("region", { name: "Evidence" });
    this.drawer = page
      .getByRole("complementary")
      .filter({ has: page.getByRole("button", { name: "Close" }) });
  }

  async openList(search = ""): Promise<void> {
    await this.page.goto(`/bottlenecks${search}`);
    await this.page.getByRole("heading", { level: 1, name: "Bottlenecks" }).waitFor();
  }

  async open(id: string, search = ""): Promise<void> {
    await this.page.goto(`/bottlenecks/${id}${search}`);
    await this.headline.waitFor();
  }

  rows(): Locator {
    return this.page.locator("main a[data-verdict]");
  }

  panel(name: string): Locator {
    return this.page.getByRole("region", { name, exact: true });
  }

  card(family: string): Locator {
    return this.evidence
      .locator("article")
      .filter({ has: this.page.getByRole("button", { name: family, exact: true }) });
  }

  /** Rows of the funnel: hop, adds, passes on, keeps. */
  async hops(): Promise<string[]> {
    const rows = await this.funnel.getByRole("row").allInnerTexts();
    return rows.slice(1).map((text) => text.replace(/\s+/g, " ").trim());
  }

  params(): URLSearchParams {
    return new URL(this.page.url()).searchParams;
  }
}
