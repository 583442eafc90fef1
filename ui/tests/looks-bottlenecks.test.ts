// The bottleneck pages in every state, in both schemes and three sizes; the verdict on a wide screen, too.
import { expect, test } from "vitest";
import { axeViolations, overflowPx, shoot } from "../e2e/pages/browser";
import { VerdictPage } from "../e2e/pages/VerdictPage";
import { verdictIds } from "./fixture/bottlenecks";
import { openLogs, server, withFixture } from "./harness";
import { describeLooks } from "./looks";

withFixture();

describeLooks({
  bottlenecks: async (logs) => {
    const list = new VerdictPage(logs.page);
    await list.openList();
    await list.rows().first().waitFor();
  },
  "bottlenecks-none": async (logs) => {
    server.bottlenecks.list = [];
    await new VerdictPage(logs.page).openList();
    await logs.page.getByRole("heading", { name: "No verdict yet" }).waitFor();
  },
  verdict: async (logs) => {
    const verdict = new VerdictPage(logs.page);
    await verdict.open(verdictIds.index);
    // On a phone it is further down, and not drawn before it is seen.
    await verdict.symptom.scrollIntoViewIfNeeded();
    await verdict.symptom.getByRole("img").first().waitFor();
    await logs.page.waitForTimeout(500);
  },
  "verdict-kept": async (logs) => {
    await new VerdictPage(logs.page).open(verdictIds.index, "?zoom=kept");
    await logs.page.waitForTimeout(300);
  },
  "verdict-evidence": async (logs) => {
    const verdict = new VerdictPage(logs.page);
    await verdict.open(verdictIds.index, "?evidence=0");
    await verdict.drawer.getByRole("img").first().waitFor();
    await logs.page.waitForTimeout(300);
  },
  "verdict-errors": async (logs) => {
    await new VerdictPage(logs.page).open(verdictIds.payments);
    await logs.page.waitForTimeout(300);
  },
  "verdict-vague": async (logs) => {
    await new VerdictPage(logs.page).open(verdictIds.search);
    await logs.page.waitForTimeout(300);
  },
  "verdict-edge": async (logs) => {
    await new VerdictPage(logs.page).open(verdictIds.network);
    await logs.page.waitForTimeout(300);
  },
  "verdict-wrong": async (logs) => {
    await new VerdictPage(logs.page).open(verdictIds.index);
    await logs.page.getByRole("button", { name: "Wrong" }).click();
    await logs.page.getByRole("dialog", { name: "What was it?" }).waitFor();
  },
});

test.each(["dark", "light"] as const)("1920 %s", async (scheme) => {
  const logs = await openLogs({ size: { width: 1920, height: 1080 }, scheme });
  await new VerdictPage(logs.page).open(verdictIds.index);
  await logs.page.waitForTimeout(500);
  await shoot(logs.page, `verdict-${scheme}-1920`);
  expect(await overflowPx(logs.page)).toBe(0);
  expect(await axeViolations(logs.page)).toEqual([]);
});
