// One fixture server and one browser per test file; each test opens its own page.
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { launch, type OpenOptions, openPage } from "../e2e/pages/browser";
import { LogsPage } from "../e2e/pages/LogsPage";
import { fixtureNowMs } from "./fixture/records";
import { FixtureServer } from "./fixture/server";

export const server = new FixtureServer();
let browser: Browser;
let url = "";
let closing: (() => Promise<void>)[] = [];

export function withFixture(): void {
  beforeAll(async () => {
    url = await server.start();
    browser = await launch();
  });
  afterEach(async () => {
    for (const close of closing) await close();
    closing = [];
    server.reset();
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });
}

/** A page on the fixture. After the test it must not have complained: no console error, no CSP violation. */
export async function openLogs(options: OpenOptions = {}): Promise<LogsPage> {
  const { page, complaints } = await openPage(browser, url, { nowMs: fixtureNowMs, ...options });
  closing.push(async () => {
    await page.context().close();
    expect(complaints).toEqual([]);
  });
  return new LogsPage(page);
}

export function withQuery(text: string, more: Record<string, string> = {}): string {
  return `?${new URLSearchParams({ query: text, ...more })}`;
}
