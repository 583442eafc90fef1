// The looks of facets, columns and the open record.
import { expect, test } from "vitest";
import { axeViolations, overflowPx } from "../e2e/pages/browser";
import { checkoutRecords } from "./fixture/traces";
import { openLogs, server, withFixture, withQuery } from "./harness";
import { describeLooks } from "./looks";

withFixture();

const busy = 'service:(catalog OR checkout) severity>=info "sku" -http.route:/health';

describeLooks({
  facets: async (logs) => {
    await logs.open(withQuery(busy));
    await logs.rows.first().waitFor();
    await logs.showFacets();
    await logs.facet("duration_ms").getByRole("button", { name: "Search in duration_ms" }).click();
    await logs.facetValue("service", "checkout").waitFor();
  },
  "facets-failed": async (logs) => {
    server.failing.add("/logs/facets");
    await logs.open();
    await logs.rows.first().waitFor();
    await logs.showFacets();
    await logs.page.getByRole("button", { name: "Count again" }).waitFor();
  },
  columns: async (logs) => {
    await logs.open(withQuery("sku", { columns: "service,body,http.status_code,duration_ms:90,trace_id" }));
    await logs.rows.first().waitFor();
    await logs.page.getByRole("button", { name: "Columns" }).click();
    await logs.page.getByRole("checkbox", { name: /^http.route/ }).waitFor();
  },
  wrapped: async (logs) => {
    await logs.open(withQuery("state:odd", { wrap: "1" }));
    await logs.row(/Traceback/).waitFor();
  },
  around: async (logs) => {
    await logs.open(withQuery("deadline"));
    await logs.rows.nth(3).click();
    await logs.record.getByRole("tab", { name: "Around" }).click();
    await logs.page.getByRole("list", { name: "Lines around the record" }).waitFor();
  },
  "about-record": async (logs) => {
    server.records = [...server.records, ...checkoutRecords()].sort((a, b) =>
      a.timestamp.localeCompare(b.timestamp),
    );
    await logs.open(withQuery("returning connection"));
    await logs.rows.first().click();
    await logs.record.getByText("This record: postgres").waitFor();
    await logs.record.getByText("in this time range").waitFor();
  },
  chart: async (logs) => {
    await logs.open(withQuery(busy, { tab: "chart", by: "service" }));
    await logs.page.getByRole("region", { name: "Chart", exact: true }).getByRole("img").waitFor();
  },
  json: async (logs) => {
    await logs.open(withQuery("deadline"));
    await logs.rows.nth(3).click();
    await logs.record.getByRole("tab", { name: "JSON" }).click();
  },
  cursor: async (logs) => {
    await logs.open();
    await logs.rows.first().waitFor();
    await logs.page.getByRole("slider", { name: /^Time cursor/ }).focus();
    for (let step = 0; step < 6; step += 1) await logs.page.keyboard.press("Shift+ArrowLeft");
  },
});

test.each([
  [1920, 1080],
  [1100, 800],
  [1024, 768],
  [720, 900],
  [390, 844],
])("at %i px nothing is cut, with every part open", async (width, height) => {
  const logs = await openLogs({ size: { width, height }, scheme: width % 3 === 0 ? "light" : "dark" });
  await logs.open(
    withQuery(busy, { columns: "severity,service,host,body,http.route,http.status_code,duration_ms" }),
  );
  await logs.rows.nth(2).click();
  await logs.record.getByRole("tab", { name: "Around" }).click();
  await logs.page.getByRole("list", { name: "Lines around the record" }).waitFor();
  expect(await overflowPx(logs.page)).toBe(0);
  expect(await axeViolations(logs.page)).toEqual([]);
});
