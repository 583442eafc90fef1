// The looks of patterns, live tail, saved views, completion and the palette.
import { expect, test } from "vitest";
import { axeViolations, overflowPx } from "../e2e/pages/browser";
import type { LogsPage } from "../e2e/pages/LogsPage";
import { openLogs, server, withFixture, withQuery } from "./harness";
import { describeLooks } from "./looks";

withFixture();

const patternRow = (logs: LogsPage, text: string) =>
  logs.page
    .getByRole("treegrid", { name: "Patterns" })
    .locator('[role="row"][aria-expanded]')
    .filter({ hasText: text });

async function openViews(logs: LogsPage): Promise<void> {
  server.views.add("Late calls", { query: "deadline" });
  server.views.add("Slow statements of the catalog, worst first", {
    query: "service:catalog severity>=warn slow",
  });
  await logs.open(withQuery("deadline"));
  await logs.page.getByRole("button", { name: /^Saved views/ }).click();
  await logs.page.getByRole("button", { name: "Rename Late calls" }).waitFor();
}

async function openLive(logs: LogsPage): Promise<void> {
  await logs.open(withQuery("sku", { live: "1" }));
  await expect.poll(() => server.live.connections).toBe(1);
  server.live.push(server.records.slice(-60), 32);
  await logs.page.getByText("60 records arrived").waitFor();
}

const states: Record<string, (logs: LogsPage) => Promise<void>> = {
  patterns: async (logs) => {
    await logs.open(withQuery("*", { tab: "patterns" }));
    await patternRow(logs, "deadline").waitFor();
  },
  "pattern-open": async (logs) => {
    await logs.open(withQuery("sku", { tab: "patterns", sort: "severity" }));
    await patternRow(logs, "deadline").click();
    await logs.page.getByRole("region", { name: "Placeholder 1" }).waitFor();
  },
  "patterns-none": async (logs) => {
    await logs.open(withQuery("placed", { tab: "patterns", new: "1" }));
    await logs.page.getByRole("heading", { name: "No pattern is new in this time range" }).waitFor();
  },
  live: openLive,
  "live-held": async (logs) => {
    await openLive(logs);
    await logs.page.getByRole("treegrid", { name: "Live records" }).evaluate((grid) => grid.scrollTo(0, 0));
    await logs.page.waitForTimeout(200);
    server.live.push(server.records.slice(-180, -60));
    await logs.page.getByRole("button", { name: "120 new below" }).waitFor();
  },
  "live-lost": async (logs) => {
    await openLive(logs);
    const hint = "close a tail that nobody reads";
    server.live.refusal = { status: 429, code: "busy", message: "64 live tails run already", hint };
    server.live.cut();
    await logs.page.getByText(/64 live tails run already/).waitFor();
  },
  views: openViews,
  "view-delete": async (logs) => {
    await openViews(logs);
    await logs.page.getByRole("button", { name: "Delete Late calls" }).click();
  },
  download: async (logs) => {
    await logs.open();
    await logs.page.getByRole("button", { name: "Download" }).click();
  },
  completion: async (logs) => {
    await logs.open();
    await logs.query.pressSequentially("severity>=warn http");
    await logs.page.getByRole("option").first().waitFor();
    await logs.page.keyboard.press("ArrowDown");
  },
  "completion-value": async (logs) => {
    await logs.open();
    await logs.query.pressSequentially("deadline service:c");
    await logs.page.getByRole("option", { name: /checkout/ }).waitFor();
  },
  palette: async (logs) => {
    server.views.add("Late calls", { query: "deadline" });
    await logs.open(withQuery("sku"));
    await logs.search("service:checkout severity>=error");
    await logs.page.keyboard.press("Control+k");
    await logs.page.getByRole("option", { name: /Late calls/ }).waitFor();
  },
  "palette-text": async (logs) => {
    server.views.add("Late checkouts", { query: "deadline" });
    await logs.open();
    await logs.search("service:checkout severity>=error");
    await logs.page.keyboard.press("Control+k");
    await logs.page.keyboard.type("che");
    await logs.page.getByRole("option", { name: /Late checkouts/ }).waitFor();
  },
};
describeLooks(states);

test.each([
  [1920, 1080],
  [1100, 800],
  [720, 900],
])("at %i px nothing is cut", async (width, height) => {
  const logs = await openLogs({ size: { width, height }, scheme: width % 3 === 0 ? "light" : "dark" });
  for (const name of ["pattern-open", "live", "views", "completion", "palette"]) {
    await states[name]?.(logs);
    expect(await overflowPx(logs.page)).toBe(0);
    expect(await axeViolations(logs.page)).toEqual([]);
    server.reset();
  }
});
