import type { Locator, Page } from "playwright-core";

/** Who is told, as a person sees it. */
export class ReceiversPage {
  constructor(readonly page: Page) {}

  async open(): Promise<void> {
    await this.page.goto("/alerts/receivers");
    await this.page.getByRole("heading", { level: 1, name: "Receivers" }).waitFor();
  }

  receiver(name: string): Locator {
    return this.page.getByRole("region", { name: `Receiver ${name}`, exact: true });
  }

  integration(receiver: string, kind: string): Locator {
    return this.receiver(receiver)
      .getByRole("row")
      .filter({ has: this.page.getByRole("rowheader", { name: kind, exact: true }) });
  }

  testButton(receiver: string): Locator {
    return this.receiver(receiver).getByRole("button", { name: /^Send/ });
  }

  get routes(): Locator {
    return this.page.getByRole("region", { name: "Routes", exact: true }).getByRole("listitem");
  }
}
