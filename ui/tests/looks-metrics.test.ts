// The metrics page in every state, in both schemes and three sizes.
import type { LogsPage } from "../e2e/pages/LogsPage";
import { MetricsPage } from "../e2e/pages/MetricsPage";
import { server, withFixture } from "./harness";
import { describeLooks } from "./looks";

withFixture();

function search(queries: string[], more: Record<string, string> = {}): string {
  return `?${new URLSearchParams([...queries.map((query) => ["q", query]), ...Object.entries(more)])}`;
}

async function open(logs: LogsPage, queries: string[], more?: Record<string, string>): Promise<MetricsPage> {
  const metrics = new MetricsPage(logs.page);
  await metrics.open(queries.length === 0 ? "" : search(queries, more));
  return metrics;
}

const cpu = 'sum by (host_name) (rate(system_cpu_time_seconds_total{cpu_mode!="idle"}[5m]))';

describeLooks({
  "metrics-plain": async (logs) => {
    await open(logs, []);
    await logs.page.getByRole("heading", { name: /Write a query/ }).waitFor();
  },
  metrics: async (logs) => {
    const metrics = await open(logs, [cpu, 'system_memory_usage_bytes{host_name="db-1"}']);
    await metrics.chart.first().waitFor();
  },
  "metrics-one": async (logs) => {
    const metrics = await open(logs, [
      "histogram_quantile(0.95, sum by (le) (http_server_request_duration_seconds_bucket))",
    ]);
    await metrics.chart.hover({ position: { x: 200, y: 80 } });
  },
  "metrics-stack": async (logs) => {
    const metrics = await open(
      logs,
      ['sum by (cpu_mode) (rate(system_cpu_time_seconds_total{host_name="db-1"}[5m]))'],
      {
        stack: "1",
      },
    );
    await metrics.chart.hover({ position: { x: 200, y: 80 } });
  },
  "metrics-gap": async (logs) => {
    const metrics = await open(logs, ['up{host_name="app-3"}']);
    await metrics.chart.waitFor();
  },
  "metrics-many": async (logs) => {
    const metrics = await open(logs, ["many_series"]);
    await metrics.chart.hover({ position: { x: 200, y: 80 } });
  },
  "metrics-numbers": async (logs) => {
    const metrics = await open(logs, [cpu]);
    await metrics.chart.waitFor();
    await logs.page.keyboard.press("Shift+T");
    await logs.page.getByRole("table", { name: /Values over time/ }).waitFor();
  },
  "metrics-table": async (logs) => {
    const metrics = await open(logs, ["system_memory_usage_bytes"], { tab: "table" });
    await metrics.values.getByText("db-1").first().waitFor();
  },
  "metrics-browser": async (logs) => {
    const metrics = await open(logs, [], { browser: "1" });
    await logs.page.goto("/explore?browser=1&metric=system_cpu_time_seconds_total");
    await metrics.browser.getByRole("button", { name: /host_name/ }).click();
  },
  "metrics-unreadable": async (logs) => {
    await open(logs, ["sum(rate(system_cpu_time_seconds_total[5m])"]);
    await logs.page.locator(".cm-lintRange-error").waitFor();
  },
  "metrics-failed": async (logs) => {
    await open(logs, ["state_error"]);
    await logs.page.getByRole("alert").waitFor();
  },
  "metrics-partial": async (logs) => {
    await open(logs, ["state_partial"]);
    await logs.page.getByText(/^Partial/).waitFor();
  },
  "metrics-nothing": async (logs) => {
    await open(logs, ["no_such_metric"]);
    await logs.page.getByRole("heading", { name: "No series matched" }).waitFor();
  },
  "metrics-loading": async (logs) => {
    await open(logs, ["state_slow"]);
    await logs.page.waitForTimeout(300);
  },
  "metrics-none": async (logs) => {
    server.metrics.empty = true;
    await open(logs, [], { browser: "1" });
    await logs.page.goto("/explore?browser=1");
    await logs.page.getByText(/No metric was stored/).waitFor();
  },
});
