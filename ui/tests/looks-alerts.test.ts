// The overview, the alerts and the form of a silence in every state, in both schemes and three sizes.
import { AlertPage } from "../e2e/pages/AlertPage";
import { AlertsPage } from "../e2e/pages/AlertsPage";
import { OverviewPage } from "../e2e/pages/OverviewPage";
import { fingerprints } from "./fixture/alerts";
import { server, withFixture } from "./harness";
import { describeLooks } from "./looks";

withFixture();

const agents = () =>
  ["db-1", "app-1", "app-2", "mq-1"].map((id) => ({ id, last_seen: "2026-11-25T10:17:30.000Z" }));

describeLooks({
  overview: async (logs) => {
    server.agents = agents();
    const overview = new OverviewPage(logs.page);
    await overview.open();
    await overview.alertRows().first().waitFor();
    await overview.serviceLinks().first().waitFor();
    await overview.hosts.getByRole("img").first().waitFor();
    await logs.page.waitForTimeout(300);
  },
  "overview-calm": async (logs) => {
    server.alerts.calm();
    server.agents = agents();
    const overview = new OverviewPage(logs.page);
    await overview.open();
    await overview.alerts.getByText("24 rules watch").waitFor();
    await overview.serviceLinks().first().waitFor();
  },
  "overview-empty": async (logs) => {
    server.alerts.calm(false);
    server.services.empty = true;
    server.metrics.empty = true;
    server.records = [];
    const overview = new OverviewPage(logs.page);
    await overview.open();
    await overview.services.getByText("No service has sent spans").waitFor();
    await overview.hosts.getByText("No host has sent metrics").waitFor();
  },
  "overview-unwell": async (logs) => {
    server.unwell = true;
    server.failing.add("/alerts").add("/services").add("/query");
    const overview = new OverviewPage(logs.page);
    await overview.open();
    await overview.narrows.getByText("The disk is full").waitFor();
    await overview.hosts.getByRole("alert").waitFor();
  },
  "overview-end": async (logs) => {
    server.agents = agents();
    const overview = new OverviewPage(logs.page);
    await overview.open();
    await overview.hostLinks().first().waitFor();
    await overview.narrows.getByText("newest log").waitFor();
    await overview.narrows.scrollIntoViewIfNeeded();
  },
  alerts: async (logs) => {
    const alerts = new AlertsPage(logs.page);
    await alerts.open();
    await alerts.links().first().waitFor();
    await logs.page.waitForTimeout(300);
  },
  "alerts-every": async (logs) => {
    const alerts = new AlertsPage(logs.page);
    await alerts.open("?state=silenced,inhibited,resolved");
    await alerts.links().first().waitFor();
  },
  "alerts-fault": async (logs) => {
    const alerts = new AlertsPage(logs.page);
    await alerts.open();
    await alerts.filter.fill('severity="warning", host_name');
    await logs.page.getByText("an operator is missing").waitFor();
  },
  "alerts-storm": async (logs) => {
    server.alerts.storm(2500);
    const alerts = new AlertsPage(logs.page);
    await alerts.open();
    await alerts.group("ContainerRestarts").waitFor();
  },
  "alerts-calm": async (logs) => {
    server.alerts.calm();
    const alerts = new AlertsPage(logs.page);
    await alerts.open();
    await logs.page.getByRole("heading", { name: "No alert is open" }).waitFor();
  },
  "alerts-failed": async (logs) => {
    server.failing.add("/alerts");
    await new AlertsPage(logs.page).open();
    await logs.page.getByRole("alert").waitFor();
  },
  alert: async (logs) => {
    const alert = new AlertPage(logs.page);
    await alert.open(fingerprints.pressure);
    await alert.chart.waitFor();
    await alert.panel("Who is told").getByText("on-call@shop.example").waitFor();
    await logs.page.waitForTimeout(300);
  },
  "alert-end": async (logs) => {
    const alert = new AlertPage(logs.page);
    await alert.open(fingerprints.errors);
    await alert.chart.waitFor();
    await alert.panel("Rule").scrollIntoViewIfNeeded();
    await logs.page.waitForTimeout(300);
  },
  "alert-silenced": async (logs) => {
    const alert = new AlertPage(logs.page);
    await alert.open(fingerprints.disk);
    await logs.page.getByText("Silenced until").waitFor();
    await alert.chart.waitFor();
    await logs.page.waitForTimeout(300);
  },
  "alert-pending": async (logs) => {
    const alert = new AlertPage(logs.page);
    await alert.open(fingerprints.skew);
    await alert.chart.waitFor();
    await logs.page.waitForTimeout(300);
  },
  "alert-resolved": async (logs) => {
    const alert = new AlertPage(logs.page);
    await alert.open(fingerprints.silent);
    await alert.chart.waitFor();
    await logs.page.waitForTimeout(300);
  },
  "alert-logs": async (logs) => {
    const alert = new AlertPage(logs.page);
    await alert.open(fingerprints.logs);
    await alert.chart.waitFor();
    await logs.page.waitForTimeout(300);
  },
  "alert-foreign": async (logs) => {
    await new AlertPage(logs.page).open(fingerprints.foreign);
  },
  "alert-viewer": async (logs) => {
    server.role = "viewer";
    await new AlertPage(logs.page).open(fingerprints.pressure);
    await logs.page.getByText("You are a viewer").waitFor();
  },
  "alert-unknown": async (logs) => {
    await logs.page.goto("/alerts/ffffffffffffffff");
    await logs.page.getByRole("heading", { name: "This alert is not known any more" }).waitFor();
  },
  silence: async (logs) => {
    const alert = new AlertPage(logs.page);
    await alert.openSilence('{alertname="ServiceErrors", service=~"checkout|payment"}');
    await alert.preview.getByText("1 alert of").waitFor();
  },
  "silence-faults": async (logs) => {
    const alert = new AlertPage(logs.page);
    await alert.openSilence('{alertname=~".*"}');
    await alert.preview.getByText("This silences every alert").waitFor();
    await alert.form.getByRole("textbox", { name: /^Until/ }).fill("noon");
    await alert.form.getByRole("button", { name: "Silence", exact: true }).click();
    await logs.page.getByText("Say why").waitFor();
  },
  "silence-saved": async (logs) => {
    const alert = new AlertPage(logs.page);
    await alert.openSilence('{alertname="ServiceErrors"}');
    await alert.saveSilence("a deploy is rolled back");
    await logs.page.getByRole("heading", { name: "Quiet until" }).waitFor();
  },
  "silence-viewer": async (logs) => {
    server.role = "viewer";
    const alert = new AlertPage(logs.page);
    await alert.openSilence('{alertname="ServiceErrors"}');
    await logs.page.getByText("You are a viewer").waitFor();
  },
});
