// Every state in both schemes and three sizes: axe finds nothing, nothing is cut. NARROWS_SHOTS keeps the pictures.
import type { LogsPage } from "../e2e/pages/LogsPage";
import { fixtureNowMs, makeRecords } from "./fixture/records";
import { server, withFixture, withQuery } from "./harness";
import { describeLooks } from "./looks";

withFixture();

const states: Record<string, (logs: LogsPage) => Promise<void>> = {
  logs: async (logs) => {
    await logs.open(withQuery('service:(catalog OR checkout) severity>=info "sku" -http.route:/health'));
    await logs.rows.first().waitFor();
  },
  record: async (logs) => {
    await logs.open(withQuery("sku"));
    await logs
      .row(/deadline/)
      .first()
      .click();
    await logs.record.waitFor();
  },
  linked: async (logs) => {
    const record = server.records[9000];
    await logs.open(withQuery("placed", { record: record?.id ?? "", at: record?.timestamp ?? "" }));
    await logs.linkedRecord.waitFor();
  },
  hover: async (logs) => {
    await logs.open();
    await logs.histogram.hover({ position: { x: 260, y: 40 } });
  },
  nothing: async (logs) => {
    await logs.open(withQuery("nothingofthekind"));
    await logs.page.getByRole("heading", { name: /Nothing matched/ }).waitFor();
  },
  failed: async (logs) => {
    await logs.open(withQuery("state:error"));
    await logs.page.getByRole("alert").waitFor();
  },
  "query-error": async (logs) => {
    await logs.open(withQuery("severity>=info sku | feilds service"));
    await logs.underlined.waitFor();
  },
  partial: async (logs) => {
    await logs.open(withQuery("state:partial"));
    await logs.page.getByText(/What came is shown/).waitFor();
  },
  loading: async (logs) => {
    await logs.open(withQuery("state:slow"));
    await logs.page.waitForTimeout(300);
  },
  odd: async (logs) => {
    await logs.open(withQuery("state:odd"));
    await logs.row(/many attributes/).click();
  },
  table: async (logs) => {
    await logs.open(withQuery("severity>=warn | stats count() by (service, bin(1m))"));
    await logs.page.getByRole("table", { name: "Result" }).waitFor();
  },
  time: async (logs) => {
    await logs.open();
    await logs.rangeButton.click();
    await logs.page.getByLabel("Type a range").fill("yesterday 14:00");
  },
  language: async (logs) => {
    await logs.open();
    await logs.page.getByRole("button", { name: "Query language" }).click();
  },
  numbers: async (logs) => {
    await logs.open();
    await logs.page.getByRole("button", { name: "As a table" }).click();
  },
  account: async (logs) => {
    await logs.open();
    await logs.page.getByRole("navigation", { name: "Pages" }).getByRole("button").last().click();
  },
  keys: async (logs) => {
    await logs.open();
    await logs.page.keyboard.press("?");
  },
  status: async (logs) => {
    server.agents = [{ id: "app-1", last_seen: new Date(fixtureNowMs - 6000).toISOString() }];
    await logs.page.goto("/status");
    await logs.page.getByRole("heading", { name: "Agents" }).waitFor();
  },
  unwell: async (logs) => {
    server.unwell = true;
    await logs.page.goto("/status");
    await logs.page.getByText("The collector is not ready").waitFor();
  },
  first: async (logs) => {
    server.records = [];
    await logs.page.goto("/logs");
    await logs.page.getByRole("heading", { name: "Send your first data" }).waitFor();
  },
  arrived: async (logs) => {
    await states.first?.(logs);
    server.records = makeRecords(88);
    server.agents = [{ id: "app-1", last_seen: new Date(fixtureNowMs - 6000).toISOString() }];
    await logs.page.getByRole("button", { name: "Open logs" }).waitFor();
  },
  login: async (logs) => {
    server.endSession();
    await logs.page.goto("/logs");
    await logs.page.getByLabel("Password").fill("wrong");
    await logs.page.getByRole("button", { name: "Sign in" }).click();
    await logs.page.getByRole("alert").waitFor();
  },
};

describeLooks(states);
