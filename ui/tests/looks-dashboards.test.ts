// The dashboards pages in every state, in both schemes and three sizes.
import { DashboardPage } from "../e2e/pages/DashboardPage";
import { server, withFixture } from "./harness";
import { describeLooks } from "./looks";

withFixture();

describeLooks({
  "dashboard-host": async (logs) => {
    const page = new DashboardPage(logs.page);
    await page.open("/d/host?var-host=db-1");
    await page.panel("CPU by mode").waitFor();
    await page.panel("CPU busy").locator("b").first().waitFor();
  },
  "dashboard-shop": async (logs) => {
    const page = new DashboardPage(logs.page);
    await page.open("/d/shop?edit=1");
    await page.chart("CPU of All").waitFor();
  },
  "dashboard-full": async (logs) => {
    const page = new DashboardPage(logs.page);
    await page.open("/d/shop?view=top+1");
    await page.chart("CPU of All").waitFor();
  },
  "dashboard-edit": async (logs) => {
    const page = new DashboardPage(logs.page);
    await page.open("/d/shop?edit=1");
    await page.chart("CPU of All").waitFor();
    await page.panel("CPU of All").hover();
    await page.page.getByRole("button", { name: "Edit CPU of All" }).click();
    await page.page.getByLabel("Title").waitFor();
  },
  dashboards: async (logs) => {
    const page = new DashboardPage(logs.page);
    await page.open("/dashboards");
    await page.row("Host").waitFor();
  },
  "dashboards-import": async (logs) => {
    const page = new DashboardPage(logs.page);
    await page.open("/dashboards");
    await page.page.getByRole("button", { name: "Import" }).click();
    await page.page.getByLabel("JSON", { exact: true }).fill(server.dashboards.text("shop"));
    await page.page.getByRole("button", { name: "Replace Shop" }).waitFor();
  },
  "dashboards-failed": async (logs) => {
    server.failing.add("/dashboards");
    const page = new DashboardPage(logs.page);
    await page.open("/dashboards");
    await page.page.getByRole("alert").waitFor();
  },
});
