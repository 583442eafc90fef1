// Chromium for the browser tests: where it is, how it starts, what every test checks on a page.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

const candidates = [
  process.env.CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export const desktop = { width: 1440, height: 900 };
export const laptop = { width: 1280, height: 800 };
export const phone = { width: 390, height: 844 };

export async function launch(): Promise<Browser> {
  const executablePath = candidates.find((path) => path !== undefined && existsSync(path));
  if (!executablePath) throw new Error("no Chromium found: install chromium, or name one in CHROMIUM");
  const args = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ];
  return chromium.launch({ executablePath, args, headless: true });
}

export interface OpenOptions {
  size?: { width: number; height: number };
  scheme?: "dark" | "light";
  touch?: boolean;
  /** The page's clock stands at this instant. */
  nowMs?: number;
}

export interface OpenPage {
  page: Page;
  /** What the page complained about: console errors, uncaught exceptions, CSP violations. */
  complaints: string[];
}

export async function openPage(browser: Browser, url: string, options: OpenOptions = {}): Promise<OpenPage> {
  const { size = desktop, scheme = "dark", touch = false, nowMs } = options;
  // bypassCSP would hide violations, so axe is run through the debugger's evaluate, which CSP does not bind.
  const settings: BrowserContextOptions = {
    baseURL: url,
    viewport: size,
    colorScheme: scheme,
    hasTouch: touch,
    timezoneId: "Europe/Berlin",
    permissions: ["clipboard-read", "clipboard-write"],
  };
  const context = await browser.newContext(settings);
  const page = await context.newPage();
  if (nowMs !== undefined) await page.clock.setFixedTime(nowMs);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    // A refused request is logged by the browser itself; the tests provoke some.
    const refused = /^(Failed to load resource|WebSocket connection to)/.test(message.text());
    if (message.type() === "error" && !refused) complaints.push(message.text());
  });
  return { page, complaints };
}

interface AxeViolation {
  id: string;
  help: string;
  nodes: { target: string[]; failureSummary: string }[];
}

/** axe's violations as short lines; an empty list is a pass. */
export async function axeViolations(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  const violations = (await page.evaluate(
    "axe.run(document, { resultTypes: ['violations'] }).then((result) => result.violations)",
  )) as AxeViolation[];
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(
      (node) => `${id}: ${help} at ${node.target.join(" ")} (${node.failureSummary.replace(/\s+/g, " ")})`,
    ),
  );
}

/** Saves a picture when NARROWS_SHOTS names a folder. */
export async function shoot(page: Page, name: string): Promise<void> {
  const folder = process.env.NARROWS_SHOTS;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.evaluate("document.fonts.ready");
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

/** Pixels by which the page is wider than its window; 0 when nothing is cut. */
export function overflowPx(page: Page): Promise<number> {
  return page.evaluate("document.documentElement.scrollWidth - window.innerWidth") as Promise<number>;
}
