// The hosts pages in every state, in both schemes and three sizes.
import { HostsPage } from "../e2e/pages/HostsPage";
import { server, withFixture } from "./harness";
import { describeLooks } from "./looks";

withFixture();

describeLooks({
  hosts: async (logs) => {
    const hosts = new HostsPage(logs.page);
    await hosts.open();
    await hosts.row("db-1").waitFor();
  },
  "hosts-none": async (logs) => {
    server.metrics.empty = true;
    await new HostsPage(logs.page).open();
    await logs.page.getByRole("heading", { name: "No host has sent metrics" }).waitFor();
  },
  "hosts-failed": async (logs) => {
    server.failing.add("/query");
    await new HostsPage(logs.page).open();
    await logs.page.getByRole("alert").waitFor();
  },
  host: async (logs) => {
    const hosts = new HostsPage(logs.page);
    await hosts.openHost("db-1");
    await hosts.chart("CPU by mode").waitFor();
    await hosts.chart("Pressure").waitFor();
    await logs.page.waitForTimeout(400);
  },
  "host-end": async (logs) => {
    const hosts = new HostsPage(logs.page);
    await hosts.openHost("db-1");
    await hosts.panel("Logs").scrollIntoViewIfNeeded();
    await logs.page.waitForTimeout(600);
  },
  "host-unknown": async (logs) => {
    const hosts = new HostsPage(logs.page);
    await hosts.openHost("nobody");
    await logs.page.getByRole("heading", { name: "nobody has sent no metrics" }).waitFor();
  },
});
