// The traces pages in every state, in both schemes and three sizes.
import { TracePage } from "../e2e/pages/TracePage";
import { TracesPage } from "../e2e/pages/TracesPage";
import { checkoutId, checkoutRecords, orphansId, otherId } from "./fixture/traces";
import { server, withFixture, withQuery } from "./harness";
import { describeLooks } from "./looks";

withFixture();

const select = () => server.traces.find(checkoutId)?.spans[11]?.id ?? "";

function withLogs(): void {
  server.records = [...server.records, ...checkoutRecords()].sort((a, b) =>
    a.timestamp < b.timestamp ? -1 : 1,
  );
}

describeLooks({
  traces: async ({ page }) => {
    const traces = new TracesPage(page);
    await traces.open(withQuery("service:postgres duration>50ms", { order: "slowest" }));
    await traces.rows.first().waitFor();
    await page.waitForTimeout(300);
  },
  "traces-errors": async ({ page }) => {
    const traces = new TracesPage(page);
    await traces.open(withQuery("state:partial status:error"));
    await traces.rows.first().waitFor();
    await page.keyboard.press("j");
  },
  "traces-nothing": async ({ page }) => {
    await new TracesPage(page).open(withQuery("nothingofthekind"));
    await page.getByRole("heading", { name: /Nothing matched/ }).waitFor();
  },
  "traces-none": async ({ page }) => {
    server.traces.empty = true;
    await new TracesPage(page).open();
    await page.getByText("OTEL_EXPORTER_OTLP_ENDPOINT").waitFor();
  },
  "traces-failed": async ({ page }) => {
    await new TracesPage(page).open(withQuery("state:error"));
    await page.getByRole("alert").first().waitFor();
  },
  "traces-table": async ({ page }) => {
    const traces = new TracesPage(page);
    await traces.open();
    await traces.rows.first().waitFor();
    await page.keyboard.press("Shift+T");
  },
  trace: async ({ page }) => {
    await new TracePage(page).open(checkoutId);
    await page.waitForTimeout(300);
  },
  "trace-span": async ({ page }) => {
    withLogs();
    const trace = new TracePage(page);
    await trace.open(checkoutId, `?span=${select()}`);
    await trace.drawer.getByText(/slow query 78 ms/).waitFor();
    await page.waitForTimeout(500);
  },
  "trace-failed-span": async ({ page }) => {
    const trace = new TracePage(page);
    const failed = server.traces.find(otherId)?.spans.find(({ name }) => name === "risk.score")?.id;
    await trace.open(otherId, `?span=${failed}&show=events&find=error`);
    await trace.drawer.getByText("RiskUnavailable", { exact: true }).waitFor();
    await page.waitForTimeout(500);
  },
  "trace-path": async ({ page }) => {
    await new TracePage(page).open(checkoutId, "?path=1&zoom=900000000-1052000000");
    await page.waitForTimeout(300);
  },
  "trace-orphans": async ({ page }) => {
    await new TracePage(page).open(orphansId);
    await page.waitForTimeout(300);
  },
  "trace-flame": async ({ page }) => {
    await page.goto(`/traces/${checkoutId}?tab=flame`);
    await page.getByRole("application").waitFor();
    await page.waitForTimeout(300);
  },
  "trace-operations": async ({ page }) => {
    await page.goto(`/traces/${checkoutId}?tab=table&span=${select()}`);
    await page.getByRole("complementary", { name: "Span" }).waitFor();
    await page.waitForTimeout(300);
  },
  "trace-missing": async ({ page }) => {
    await page.goto("/traces/ffffffffffffffffffffffffffffffff");
    await page.getByRole("heading", { name: "This trace is not here" }).waitFor();
  },
});
