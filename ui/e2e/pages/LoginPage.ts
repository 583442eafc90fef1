import type { Locator, Page } from "playwright-core";

export class LoginPage {
  readonly error: Locator;

  constructor(private readonly page: Page) {
    this.error = page.getByRole("alert");
  }

  get heading(): Locator {
    return this.page.getByRole("heading", { name: "Sign in to Narrows" });
  }

  get submit(): Locator {
    return this.page.getByRole("button", { name: "Sign in" });
  }

  async signIn(user: string, password: string): Promise<void> {
    await this.page.getByLabel("User").fill(user);
    await this.page.getByLabel("Password").fill(password);
    await this.submit.click();
  }
}
