import type { Locator, Page } from "playwright-core";

/** The start page, as a person sees it. */
export class OverviewPage {
  readonly verdicts: Locator;
  readonly alerts: Locator;
  readonly services: Locator;
  readonly hosts: Locator;
  readonly narrows: Locator;

  constructor(readonly page: Page) {
    const region = (name: string) => page.getByRole("region", { name, exact: true });
    this.verdicts = region("Where is the bottleneck?");
    this.alerts = region("Open alerts");
    this.services = region("Services");
    this.hosts = region("Hosts by saturation");
    this.narrows = region("Narrows itself");
  }

  async open(search = ""): Promise<void> {
    await this.page.goto(`/${search}`);
    await this.page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
  }

  /** Those with a culprit first. */
  verdictRows(): Locator {
    return this.verdicts.locator("a[data-verdict]");
  }

  /** The rows of open alerts, the worst first. */
  alertRows(): Locator {
    return this.alerts.locator("a[data-alert]");
  }

  serviceLinks(): Locator {
    return this.services.locator("a[data-service]");
  }

  hostLinks(): Locator {
    return this.hosts.locator("a[data-host]");
  }
}
