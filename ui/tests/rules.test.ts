import { expect, test } from "vitest";
import { RulesPage } from "../e2e/pages/RulesPage";
import { openLogs, server, withFixture } from "./harness";

withFixture();

async function openRules(search = ""): Promise<RulesPage> {
  const rules = new RulesPage((await openLogs()).page);
  await rules.open(search);
  return rules;
}

const param = ({ page }: RulesPage, name: string) => new URL(page.url()).searchParams.get(name);

test("files, groups and rules: state, query in colours, alerts, how long it took", async () => {
  const rules = await openRules();
  const row = rules.row("HostCpuPressure");
  await row.waitFor();
  expect(await row.innerText()).toMatch(
    /^firing\s+HostCpuPressure\s+max by \(host\)[\s\S]*2 alerts\s+2\.1\sms$/,
  );
  expect(await row.locator("code span[style*='syn-string']").allInnerTexts()).toEqual(['"cpu"', '"some"']);
  expect(await rules.row("ErrorLogSurge").locator("code span").first().innerText()).toBe("severity");
  await rules.row("job:checkout_latency:p95").getByText("recording").waitFor();
  const group = rules.page.getByRole("table", { name: "Group checkout" });
  expect(await group.locator("caption").innerText()).toBe(
    "checkout · every 15\u00a0s · last 10:17:31 UTC · took 9.2\u00a0s, more than half of its interval",
  );
  expect(
    await rules.page.getByRole("region", { name: "shipped/hosts.yaml" }).getByRole("table").count(),
  ).toBe(1);
});

test("a rule that cannot be evaluated says why in place of its query", async () => {
  const rules = await openRules();
  const row = rules.row("CheckoutErrors");
  await row.getByText("found duplicate series").waitFor();
  expect(await row.innerText()).toMatch(/failing[\s\S]*found duplicate series/);
});

test("what is wrong with a file, by line and column, and what runs meanwhile", async () => {
  const rules = await openRules();
  const problems = rules.problems("/etc/narrows/rules/queue.yaml");
  await problems.waitFor();
  expect(await problems.innerText()).toContain("has 2 problems");
  expect(await problems.innerText()).toContain("The version of 2026-11-25 08:17:40 UTC runs");
  expect(await problems.getByRole("listitem").first().innerText()).toMatch(
    /^14:11\s+Unexpected identifier "rat" after the number 5\.$/,
  );
});

test("filter by words and by state; both are in the address", async () => {
  const rules = await openRules();
  await rules.row("HostCpuPressure").waitFor();
  await rules.find.fill("checkout severity=critical");
  await expect.poll(() => rules.rows.count()).toBe(1);
  await expect.poll(() => param(rules, "filter")).toBe("checkout severity=critical");
  await rules.find.fill("");
  await rules.state("firing").click();
  await expect.poll(() => rules.rows.count()).toBe(2);
  expect(await rules.state("firing").innerText()).toMatch(/^firing\s2$/);
  expect(param(rules, "state")).toBe("firing");
  await rules.page.reload();
  await expect.poll(() => rules.rows.count()).toBe(2);
  await rules.find.fill("nothing of the kind");
  await rules.page.getByRole("button", { name: "Show all 7" }).click();
  await expect.poll(() => rules.rows.count()).toBe(7);
});

test("a rule opens beside the list: query, when, labels, its alerts; Esc closes", async () => {
  const rules = await openRules("?state=firing");
  await rules.row("HostCpuPressure").click();
  const drawer = rules.drawer("HostCpuPressure");
  await drawer.waitFor();
  expect(param(rules, "rule")).toBe("hosts/HostCpuPressure");
  expect(param(rules, "state")).toBe("firing");
  expect(await drawer.innerText()).toMatch(/Fires after\s+5\smin/);
  expect(await drawer.getByRole("region", { name: "Alerts" }).getByRole("listitem").allInnerTexts()).toEqual([
    expect.stringMatching(/^firing\s+value 0\.58\s+since 2026-11-25 10:03:40 UTC\s+host=db-1/),
    expect.stringMatching(/^pending\s+value 0\.31/),
  ]);
  await rules.page.keyboard.press("Escape");
  await expect.poll(() => drawer.count()).toBe(0);
  expect(param(rules, "rule")).toBe(null);
});

test("the link of a message opens the rule; its query goes to Metrics, a search to Logs", async () => {
  const rules = await openRules(`?rule=${encodeURIComponent("checkout/CheckoutP95OverObjective")}`);
  await rules.drawer("CheckoutP95OverObjective").getByRole("link", { name: "Graph in Metrics" }).click();
  await rules.page.waitForURL(/\/explore/);
  expect(param(rules, "q")).toBe("job:checkout_latency:p95 > 0.4");
  await rules.open(`?rule=${encodeURIComponent("logs/ErrorLogSurge")}`);
  const link = rules.drawer("ErrorLogSurge").getByRole("link", { name: "Open in Logs" });
  expect(new URL((await link.getAttribute("href")) ?? "", "http://x").searchParams.get("query")).toMatch(
    /^severity>=error \| stats/,
  );
});

test("an address of a rule that is gone says so; no rules at all say how to get some", async () => {
  const rules = await openRules("?rule=hosts/Gone");
  await rules.page.getByRole("heading", { name: "No rule is called hosts/Gone" }).waitFor();
  await rules.page.getByRole("button", { name: "Show all rules" }).click();
  await rules.row("HostCpuPressure").waitFor();
  server.rules.none = true;
  await rules.page.keyboard.press("r");
  await rules.page.getByRole("heading", { name: "There are no rules" }).waitFor();
});

test("of two thousand rules the first are drawn, and every one is found", async () => {
  server.rules.more = 2000;
  const rules = await openRules();
  await expect.poll(() => rules.rows.count()).toBe(300);
  await rules.page.getByRole("button", { name: "Show 300 more of 2,007" }).click();
  await expect.poll(() => rules.rows.count()).toBe(600);
  await rules.find.fill("Generated1999");
  await expect.poll(() => rules.rows.count()).toBe(1);
  await rules.row("Generated1999").click();
  await rules.drawer("Generated1999").waitFor();
});

test("a refused list says so and is asked for again", async () => {
  server.failing.add("/rules");
  const rules = await openRules();
  await rules.page.getByRole("alert").waitFor();
  server.failing.clear();
  await rules.page.getByRole("button", { name: "Try again" }).click();
  await rules.row("HostCpuPressure").waitFor();
});
