// The services pages in every state, in both schemes and three sizes.
import { ServicesPage } from "../e2e/pages/ServicesPage";
import { server, withFixture } from "./harness";
import { describeLooks } from "./looks";

withFixture();

describeLooks({
  services: async (logs) => {
    const services = new ServicesPage(logs.page);
    await services.open();
    await services.row("catalog").waitFor();
  },
  "services-none": async (logs) => {
    server.services.empty = true;
    await new ServicesPage(logs.page).open();
    await logs.page.getByRole("heading", { name: "No service has sent spans in this time" }).waitFor();
    await logs.page.getByRole("heading", { name: "Start it with an SDK" }).waitFor();
  },
  "services-failed": async (logs) => {
    server.failing.add("/services");
    await new ServicesPage(logs.page).open();
    await logs.page.getByRole("alert").waitFor();
  },
  service: async (logs) => {
    const services = new ServicesPage(logs.page);
    await services.openService("catalog");
    // A chart is drawn when it comes into view.
    await services.panel("Latency").scrollIntoViewIfNeeded();
    await services.chart("Latency").waitFor();
    await logs.page.waitForTimeout(300);
  },
  "service-end": async (logs) => {
    const services = new ServicesPage(logs.page);
    await services.openService("checkout");
    await services.panel("Hosts").scrollIntoViewIfNeeded();
    await logs.page.waitForTimeout(300);
  },
  "service-unknown": async (logs) => {
    await new ServicesPage(logs.page).openService("nobody");
    await logs.page.getByRole("heading", { name: "nobody has sent no spans in this time" }).waitFor();
  },
  map: async (logs) => {
    const services = new ServicesPage(logs.page);
    await services.openMap();
    await services.node("catalog").waitFor();
  },
  "map-drawer": async (logs) => {
    const services = new ServicesPage(logs.page);
    await services.openMap("?node=catalog");
    await services.drawer.getByRole("img", { name: /^Latency p95/ }).waitFor();
    await logs.page.waitForTimeout(300);
  },
  "map-database": async (logs) => {
    const services = new ServicesPage(logs.page);
    await services.openMap("?node=postgres");
    await services.drawer.getByRole("region", { name: "Called by" }).waitFor();
  },
  "map-pointed": async (logs) => {
    const services = new ServicesPage(logs.page);
    await services.openMap();
    await services.node("checkout").waitFor();
    if ((logs.page.viewportSize()?.width ?? 0) > 640) await services.node("checkout").hover();
  },
  "map-many": async (logs) => {
    server.services.more = 60;
    const services = new ServicesPage(logs.page);
    await services.openMap();
    await services.node("catalog").waitFor();
  },
  "map-whole": async (logs) => {
    server.services.more = 60;
    const services = new ServicesPage(logs.page);
    await services.openMap("?group=none&find=billing");
    await services.node("catalog").waitFor();
  },
  "map-tables": async (logs) => {
    const services = new ServicesPage(logs.page);
    await services.openMap();
    await services.node("catalog").waitFor();
    await logs.page.keyboard.press("Shift+T");
    await logs.page.getByRole("table", { name: "Calls on the map" }).waitFor();
  },
});
