// The link of a mail, on a phone at night: log in, and there is the alert with its chart.
import { expect, test } from "vitest";
import { AlertPage } from "../pages/AlertPage";
import { check, signedIn, withBrowser } from "../session";

const link = new URL(required("NARROWS_ALERT"));

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: scripts/on-call.sh sets it`);
  return value;
}

withBrowser();

test.for(["dark", "light"] as const)("the mail's link opens the alert on a phone, %s", async (scheme) => {
  const { page } = await signedIn(link.pathname, { scheme, size: { width: 390, height: 844 }, touch: true });
  const alert = new AlertPage(page);
  await expect.poll(() => alert.headline.innerText()).toContain("rust-shop is silent");
  await alert.chart.waitFor();
  await expect.poll(() => alert.silence.count()).toBeGreaterThan(0);
  await check(page, `e2e-on-call-${scheme}`);
});
