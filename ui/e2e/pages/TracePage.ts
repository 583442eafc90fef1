// One trace, by role and visible text; the canvas by where its lines stand.
import type { Locator, Page } from "playwright-core";

const axisPx = 26;
const linePx = 28;

export class TracePage {
  readonly grid: Locator;
  readonly drawer: Locator;
  readonly find: Locator;

  constructor(readonly page: Page) {
    this.grid = page.getByRole("treegrid", { name: "Spans" });
    this.drawer = page.getByRole("complementary", { name: "Span" });
    this.find = page.getByLabel("Find in the trace");
  }

  async open(id: string, search = ""): Promise<void> {
    await this.page.goto(`/traces/${id}${search}`);
    await this.grid.waitFor();
  }

  /** What the grid says about the lines on the screen. */
  async lines(): Promise<string[]> {
    const texts = await this.grid.getByRole("row").allInnerTexts();
    return texts.map((text) => text.replace(/\s+/g, " ").trim());
  }

  line(name: string | RegExp): Locator {
    return this.grid.getByRole("row", { name });
  }

  count(): Promise<number> {
    return this.grid.getAttribute("aria-rowcount").then(Number);
  }

  /** Clicks a line of those on the screen, 0 the topmost; `share` is how far from the left. */
  async clickLine(line: number, share = 0.15): Promise<void> {
    const box = await this.grid.boundingBox();
    if (!box) throw new Error("the waterfall is not visible");
    await this.page.mouse.click(box.x + box.width * share, box.y + axisPx + (line + 0.5) * linePx);
  }

  async dragBars(from: number, to: number): Promise<void> {
    const box = await this.grid.boundingBox();
    if (!box) throw new Error("the waterfall is not visible");
    const y = box.y + axisPx + 3.5 * linePx;
    await this.page.mouse.move(box.x + box.width * from, y);
    await this.page.mouse.down();
    await this.page.mouse.move(box.x + box.width * ((from + to) / 2), y);
    await this.page.mouse.move(box.x + box.width * to, y);
    await this.page.mouse.up();
  }

  tab(name: "Waterfall" | "Flame" | "Table"): Locator {
    return this.page.getByRole("tab", { name, exact: true });
  }

  params(): URLSearchParams {
    return new URL(this.page.url()).searchParams;
  }
}
