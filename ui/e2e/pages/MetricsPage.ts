import type { Locator, Page } from "playwright-core";

/** The metrics page as a person sees it: by role and visible text. */
export class MetricsPage {
  readonly browser: Locator;
  readonly chart: Locator;
  readonly rangeButton: Locator;
  readonly graph: Locator;
  readonly values: Locator;

  constructor(readonly page: Page) {
    this.browser = page.getByRole("complementary", { name: "Metrics" });
    this.chart = page.getByRole("img", { name: /^Values over time/ });
    this.rangeButton = page.getByRole("button", { name: /^Time range:/ });
    this.graph = page.getByRole("region", { name: "Graph" });
    this.values = page.getByRole("table", { name: "Values" });
  }

  async open(search = ""): Promise<void> {
    await this.page.goto(`/explore${search}`);
    await this.query("A").waitFor();
  }

  /** With the editor's chunk there, not the plain field before it. */
  query(letter: string): Locator {
    return this.page.locator(".cm-content").and(this.page.getByLabel(`Query ${letter}`, { exact: true }));
  }

  async type(letter: string, text: string): Promise<void> {
    await this.query(letter).fill(text);
  }

  async run(letter: string, text: string): Promise<void> {
    await this.type(letter, text);
    await this.page.keyboard.press("Escape");
    await this.page.keyboard.press("Enter");
  }

  legend(name: string): Locator {
    return this.graph.getByRole("button", { name, exact: true });
  }

  metric(name: string): Locator {
    return this.browser.getByRole("listitem").filter({ hasText: name });
  }

  /** Drags over a part of the chart, given as shares of its width. */
  async drag(from: number, to: number): Promise<void> {
    const box = await this.chart.boundingBox();
    if (!box) throw new Error("the chart is not visible");
    const y = box.y + box.height / 2;
    await this.page.mouse.move(box.x + box.width * from, y);
    await this.page.mouse.down();
    await this.page.mouse.move(box.x + box.width * ((from + to) / 2), y);
    await this.page.mouse.move(box.x + box.width * to, y);
    await this.page.mouse.up();
  }
}
