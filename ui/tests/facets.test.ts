import { expect, test } from "vitest";
import { laptop } from "../e2e/pages/browser";
import type { LogsPage } from "../e2e/pages/LogsPage";
import { openLogs, server, withFixture, withQuery } from "./harness";

withFixture();

function asked(path: string): URLSearchParams[] {
  return server.requests
    .filter((request) => request.startsWith(path))
    .map((request) => new URLSearchParams(request.split("?")[1]));
}

async function facetNames(logs: LogsPage): Promise<string[]> {
  return logs.page.getByRole("complementary", { name: "Facets" }).getByRole("heading").allInnerTexts();
}

test("one click asks for a value, a second one for another beside it, a third takes the first back", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("severity>=info | limit 5000"));
  await logs.facetValue("service", "catalog").click();
  await expect.poll(() => logs.query.inputValue()).toBe("severity>=info service:catalog | limit 5000");
  expect(await logs.facetValue("service", "catalog").getAttribute("aria-checked")).toBe("true");
  // What else could be chosen stays in sight, with its own count.
  await logs.facetValue("service", "checkout").click();
  await expect
    .poll(() => logs.query.inputValue())
    .toBe("severity>=info service:(catalog OR checkout) | limit 5000");
  await logs.facetValue("service", "catalog").click();
  await expect.poll(() => logs.query.inputValue()).toBe("severity>=info service:checkout | limit 5000");
  expect(await logs.facetValue("service", "catalog").getAttribute("aria-checked")).toBe("false");
  await logs.page.getByRole("button", { name: "Clear service" }).click();
  await expect.poll(() => logs.query.inputValue()).toBe("severity>=info | limit 5000");
  expect(asked("/logs/facets").every((params) => !params.get("query")?.includes("|"))).toBe(true);
});

test("counts are those of the other conditions, and what they leave is said", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("service:catalog"));
  await logs.rows.first().waitFor();
  const counted = async (field: string, value: string) =>
    Number((await logs.facetValue(field, value).innerText()).replace(/^[^\n]*\n/, "").replace(/\D/g, ""));
  const [service] = asked("/logs/facets").filter((params) => params.get("fields") === "service");
  expect(service?.get("query")).toBe("*");
  expect(await counted("severity", "warn")).toBe(887);
  expect(await counted("service", "checkout")).toBe(
    server.records.filter((record) => record.service === "checkout").length,
  );
  // The worst first, with its mark; and the catalog never logs an error.
  const severities = await logs.facet("severity").getByRole("checkbox").allInnerTexts();
  expect(severities.map((text) => text.split("\n")[0])).toEqual(["warn", "info"]);

  const withoutRoute = server.records.filter(
    (record) => record.service === "catalog" && !("http.route" in record.attributes),
  ).length;
  await logs.facetValue("http.route", "missing").click();
  await expect.poll(() => logs.query.inputValue()).toBe("service:catalog -http.route:*");
  await expect.poll(() => logs.matched()).toBe(withoutRoute);
  await logs.facetValue("http.route", "missing").click();
  await expect.poll(() => logs.query.inputValue()).toBe("service:catalog");
});

test("the minus and Alt-click exclude; an excluded value is shown as such and comes back with a click", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("sku OR sku"));
  await logs.facetValue("service", "catalog").hover();
  await logs.facet("service").getByRole("button", { name: "Exclude catalog" }).click();
  await expect.poll(() => logs.query.inputValue()).toBe("(sku OR sku) -service:catalog");
  await logs.facetValue("service", "catalog, excluded").waitFor();
  await logs.facetValue("service", "catalog, excluded").click();
  await expect.poll(() => logs.query.inputValue()).toBe("(sku OR sku)");

  await logs.facetValue("severity", "warn").click({ modifiers: ["Alt"] });
  await expect.poll(() => logs.query.inputValue()).toBe("(sku OR sku) -severity:warn");
  await logs.facetValue("severity", "warn, excluded").waitFor();
});

test("many values: search among them by how they begin", async () => {
  const logs = await openLogs();
  await logs.open();
  const facet = logs.facet("duration_ms");
  await facet.getByRole("button", { name: /\d+ more/ }).click();
  const search = facet.getByRole("textbox", { name: "Values of duration_ms that begin with" });
  await search.fill("1000");
  await logs.facetValue("duration_ms", "1000.4").waitFor();
  await expect.poll(() => facet.getByRole("checkbox").count()).toBeLessThan(4);
  await search.fill("nothing");
  await facet.getByText("No value begins with “nothing”.").waitFor();
  await search.fill("1000");
  await logs.facetValue("duration_ms", "1000.4").click();
  await expect.poll(() => logs.query.inputValue()).toBe("duration_ms:1000.4");
  await search.press("Escape");
  await expect.poll(() => search.count()).toBe(0);
  // A facet whose values are all here needs no search.
  expect(
    await logs
      .facet("service")
      .getByRole("button", { name: /Search/ })
      .count(),
  ).toBe(0);
});

test("which facets there are and which are folded is remembered", async () => {
  const logs = await openLogs();
  await logs.open(withQuery("deadline"));
  await logs.facet("host").getByRole("button", { name: "host", exact: true }).click();
  await expect.poll(() => logs.facetValue("host", "app-1").count()).toBe(0);
  await logs.facet("duration_ms").hover();
  await logs.facet("duration_ms").getByRole("button", { name: "Remove the facet duration_ms" }).click();
  await expect.poll(() => facetNames(logs)).not.toContain("duration_ms");

  await logs.rows.first().click();
  await logs.record.getByRole("button", { name: /^cart/ }).click();
  await logs.record.getByText('"EUR"').hover();
  await logs.record.getByRole("button", { name: "Add cart.currency as a facet" }).click();
  await logs.facetValue("cart.currency", "EUR").waitFor();

  await logs.page.reload();
  await logs.facetValue("cart.currency", "EUR").waitFor();
  expect(await facetNames(logs)).not.toContain("duration_ms");
  expect(await logs.facetValue("host", "app-1").count()).toBe(0);
  await logs.facet("host").getByRole("button", { name: "host", exact: true }).click();
  await logs.facetValue("host", "app-1").waitFor();

  await logs.page.getByRole("button", { name: "Choose facets" }).click();
  await logs.page.getByRole("textbox", { name: "Find a field" }).fill("resource.os");
  await logs.page.getByRole("checkbox", { name: /^resource.os.type/ }).click();
  await logs.facetValue("resource.os.type", "linux").waitFor();
  await logs.page.getByRole("button", { name: "Usual ones" }).click();
  await expect.poll(() => facetNames(logs)).toContain("duration_ms");
  expect(await facetNames(logs)).not.toContain("resource.os.type");
});

test("a failure is said and asked again; a wrong query counts nothing; no match says so", async () => {
  server.failing.add("/logs/facets");
  const logs = await openLogs();
  await logs.open();
  await logs.page.getByText(/^No counts: Too many searches run at once/).waitFor();
  expect(await logs.rows.count()).toBeGreaterThan(10);
  server.failing.clear();
  await logs.page.getByRole("button", { name: "Count again" }).click();
  await logs.facetValue("service", "catalog").waitFor();

  await logs.search("sku | feilds service");
  await logs.page.getByRole("heading", { name: "The query cannot be read" }).waitFor();
  await logs.search("nothingofthekind");
  await logs.facet("service").getByText("No record matches.").waitFor();
});

test("while counting, the numbers that were stay where they are", async () => {
  const logs = await openLogs();
  await logs.open();
  await logs.facetValue("http.route", "/orders").waitFor();
  const place = () => logs.facet("http.status_code").boundingBox();
  const before = await place();
  await logs.search("state:slow");
  await logs.page.waitForTimeout(300);
  expect(await place()).toEqual(before);
  expect(await logs.page.locator('[aria-busy="true"]').count()).toBeGreaterThan(0);
});

test("below 1100 px the facets open over the rows; beside them they can be hidden for good", async () => {
  const logs = await openLogs({ size: { width: 1000, height: 800 } });
  await logs.open();
  await logs.rows.first().waitFor();
  expect(await logs.facet("service").count()).toBe(0);
  expect(asked("/logs/facets").length).toBe(0);
  await logs.page.getByRole("button", { name: "Facets", exact: true }).click();
  const drawer = logs.page.getByRole("dialog", { name: "Facets" });
  await drawer.waitFor();
  await logs.facetValue("service", "cart").click();
  await expect.poll(() => logs.query.inputValue()).toBe("service:cart");
  await logs.page.keyboard.press("Escape");
  await expect.poll(() => drawer.count()).toBe(0);

  await logs.page.setViewportSize(laptop);
  await logs.facetValue("service", "cart").waitFor();
  await logs.page.getByRole("button", { name: "Facets", exact: true }).click();
  await expect.poll(() => logs.facet("service").count()).toBe(0);
  await logs.page.reload();
  await logs.rows.first().waitFor();
  expect(await logs.facet("service").count()).toBe(0);
});

test("the arrow keys go from value to value, Space chooses", async () => {
  const logs = await openLogs();
  await logs.open();
  await logs.facetValue("severity", "error").focus();
  await logs.page.keyboard.press("ArrowDown");
  await logs.page.keyboard.press("Space");
  await expect.poll(() => logs.query.inputValue()).toBe("severity:warn");
});
