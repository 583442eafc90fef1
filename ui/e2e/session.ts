// One browser per test file; each test opens its own pages on the real collector.
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { api, collectorUrl, password } from "./environment";
import { axeViolations, launch, type OpenOptions, openPage, overflowPx, shoot } from "./pages/browser";
import { LoginPage } from "./pages/LoginPage";
import { LogsPage } from "./pages/LogsPage";

let browser: Browser;
let closing: (() => Promise<void>)[] = [];

export function withBrowser(): void {
  beforeAll(async () => {
    browser = await launch();
  });
  afterEach(async () => {
    for (const close of closing) await close();
    closing = [];
  });
  afterAll(async () => {
    await browser.close();
  });
}

/** A page of its own context. After the test it must not have complained: no console error, no CSP violation. */
export async function signedOut(options: OpenOptions = {}): Promise<Page> {
  const { page, complaints } = await openPage(browser, collectorUrl, options);
  closing.push(async () => {
    await page.context().close();
    expect(complaints).toEqual([]);
  });
  return page;
}

export async function signedIn(address = "/logs", options: OpenOptions = {}): Promise<LogsPage> {
  const page = await signedOut(options);
  await page.goto(address);
  await new LoginPage(page).signIn("admin", password);
  return new LogsPage(page);
}

export function address(query: string, more: Record<string, string> = {}): string {
  return `/logs?${new URLSearchParams({ query, ...more })}`;
}

/** How many records of the last hour match. */
export async function matchedBy(query: string): Promise<number> {
  const answer = await api(`/logs/search?${new URLSearchParams({ query, limit: "1" })}`);
  return (answer as { matched: number }).matched;
}

/** Takes the picture; nothing is cut and axe finds nothing. */
export async function check(page: Page, name: string): Promise<void> {
  await page.waitForTimeout(100);
  await shoot(page, name);
  expect(await overflowPx(page)).toBe(0);
  expect(await axeViolations(page)).toEqual([]);
}
