// The start page by hand: what is wrong, the worst services and hosts, and one click to each.
import { expect, test } from "vitest";
import { phone } from "../e2e/pages/browser";
import { OverviewPage } from "../e2e/pages/OverviewPage";
import { fingerprints } from "./fixture/alerts";
import { openLogs, server, withFixture } from "./harness";

withFixture();

async function open(search = ""): Promise<OverviewPage> {
  const overview = new OverviewPage((await openLogs()).page);
  await overview.open(search);
  return overview;
}

test("it is the start page: alerts worst first, quiet ones folded, services and hosts worst first", async () => {
  server.bottlenecks.calm();
  const overview = await open();
  await expect
    .poll(() => overview.alertRows().evaluateAll((rows) => rows.map((row) => row.getAttribute("data-alert"))))
    .toEqual([
      fingerprints.pressure,
      fingerprints.logs,
      fingerprints.errors,
      fingerprints.foreign,
      fingerprints.skew,
    ]);
  expect(await overview.alertRows().first().innerText()).toMatch(
    /On db-1 work waits for the CPU 58 % of the time\s+HostCpuPressure, db-1\s+58\s%, limit >\s25\s%\s+Critical\s+Firing\s+since 10:05:20\s+12\smin 20\ss/,
  );
  await overview.alerts.getByText("4 firing, 1 pending, worst first").waitFor();
  await overview.alerts.getByRole("link", { name: "1 silenced" }).waitFor();
  await overview.alerts.getByRole("link", { name: "1 inhibited" }).waitFor();
  await expect.poll(async () => (await overview.serviceLinks().allInnerTexts())[0]).toBe("checkout");
  await expect
    .poll(() => overview.hostLinks().allInnerTexts())
    .toEqual(["db-1", "app-4", "mq-1", "app-2", "app-1", "app-3", "old-1"]);
  await overview.hosts.getByText("silent 2\u00a0h").waitFor();
});

test("an alert, a service and a host are one click away, at the time that is shown", async () => {
  const overview = await open("?from=now-3h&to=now");
  const back = async () => {
    await overview.page.goBack();
    await overview.serviceLinks().first().waitFor();
  };
  await overview.alertRows().first().click();
  await overview.page.getByRole("heading", { level: 1, name: "HostCpuPressure" }).waitFor();
  await back();
  // Anywhere in the row.
  await overview.services
    .getByRole("row")
    .filter({ hasText: "payment" })
    .click({ position: { x: 400, y: 16 } });
  await overview.page.getByRole("heading", { level: 1, name: "payment" }).waitFor();
  expect(new URL(overview.page.url()).searchParams.get("from")).toBe("now-3h");
  await back();
  await overview.hosts
    .getByRole("listitem")
    .filter({ hasText: "mq-1" })
    .click({ position: { x: 200, y: 12 } });
  await overview.page.getByRole("heading", { level: 1, name: "mq-1" }).waitFor();
  expect(new URL(overview.page.url()).searchParams.get("from")).toBe("now-3h");
  await back();
  await overview.alerts.getByRole("link", { name: "1 silenced" }).click();
  await overview.page.getByRole("heading", { level: 1, name: "Alerts" }).waitFor();
  expect(new URL(overview.page.url()).search).toBe("?state=silenced");
});

test("quiet is one calm line that says what is watched", async () => {
  server.alerts.calm();
  server.bottlenecks.calm();
  const overview = await open();
  await overview.verdicts.getByText("There is none.").waitFor();
  await overview.serviceLinks().first().waitFor();
  await overview.hostLinks().first().waitFor();
  await expect
    .poll(() => overview.alerts.innerText())
    .toMatch(/No alert is open\. 24 rules watch 7 hosts and 10 services\./);
  expect(await overview.alertRows().count()).toBe(0);
});

test("without services nothing is watched, and nothing is called calm", async () => {
  server.services.empty = true;
  server.bottlenecks.calm();
  const overview = await open();
  await overview.verdicts.getByText("Not known.").waitFor();
  expect(await overview.verdicts.getByText("There is none.").count()).toBe(0);
});

test("nothing is called calm when nobody looks", async () => {
  server.bottlenecks.calm();
  server.bottlenecks.watch = { watch: "off", looked_at_s: null };
  const overview = await open();
  await overview.verdicts.getByText("Not watched.").waitFor();
  expect(await overview.verdicts.getByText("There is none.").count()).toBe(0);
});

test("only quiet ones: nobody is called, and how many are silenced", async () => {
  server.alerts.list = server.alerts.list.filter(({ silenced_by }) => silenced_by.length > 0);
  const overview = await open();
  await overview.alerts.getByText("Nobody is called.").waitFor();
  await overview.alerts.getByRole("link", { name: "1 silenced" }).waitFor();
});

test("many alerts: the worst six, and how many more", async () => {
  server.alerts.storm(2500);
  server.bottlenecks.calm();
  const overview = await open();
  await expect.poll(() => overview.alertRows().count()).toBe(6);
  await overview.alerts.getByRole("link", { name: "2,499 more" }).click();
  await overview.page.getByRole("heading", { level: 1, name: "Alerts" }).waitFor();
});

test("Narrows' own health: agents that went silent, and what is wrong", async () => {
  server.agents = [
    { id: "a", last_seen: "2026-11-25T10:17:30Z" },
    { id: "b", last_seen: "2026-11-25T09:00:00Z" },
  ];
  server.unwell = true;
  const overview = await open();
  await overview.narrows.getByText("1 of 2 seen").waitFor();
  await overview.narrows.getByText("The disk is full: 0 B left of 40 GiB.").waitFor();
  await overview.narrows.getByText("1 damaged file was set aside.").waitFor();
  await overview.narrows.getByRole("link", { name: "Narrows" }).click();
  await overview.page.getByRole("heading", { level: 1, name: "Status" }).waitFor();
});

test("what fails says so in its own panel; the others stand; a refresh brings it back", async () => {
  server.failing.add("/alerts");
  const overview = await open();
  await overview.alerts.getByRole("alert").getByText("Too many searches run at once.").waitFor();
  await overview.serviceLinks().first().waitFor();
  server.failing.clear();
  await overview.page.keyboard.press("r");
  await overview.alertRows().first().waitFor();
});

test("on a phone: one column, the alert first, then its words", async () => {
  const overview = new OverviewPage((await openLogs({ size: phone, touch: true })).page);
  await overview.open();
  await overview.alertRows().first().waitFor();
  await overview.serviceLinks().first().waitFor();
  const boxes = await Promise.all(
    [overview.verdicts, overview.alerts, overview.services, overview.hosts, overview.narrows].map((one) =>
      one.boundingBox(),
    ),
  );
  expect(boxes.map((box) => box?.x)).toEqual([12, 12, 12, 12, 12]);
  const tops = boxes.map((box) => box?.y ?? 0);
  expect(tops).toEqual([...tops].sort((a, b) => a - b));
  expect((await overview.alertRows().first().boundingBox())?.height).toBeGreaterThanOrEqual(44);
});

test("open verdicts lead: the sentence, why, how much it explains; the alerts stand beside the services", async () => {
  const overview = await open();
  await overview.verdicts.getByText("2 verdicts, 1 not localised").waitFor();
  expect(await overview.verdictRows().allInnerTexts()).toEqual([
    expect.stringMatching(
      /postgres SELECT … FROM products WHERE sku = \$1 adds 690 of 760 ms to POST \/checkout\s+Slow statement, missing index\.[\s\S]*690\sms postgres\s+91\s% explained\s+since 10:03:20\s+high confidence\s+2 alerts/,
    ),
    expect.stringMatching(/api\.stripe\.com refuses[\s\S]*5\.61\s%[\s\S]*medium confidence/),
    expect.stringMatching(/not localised[\s\S]*46\sms largest share[\s\S]*no verdict/),
  ]);
  await expect.poll(() => overview.alertRows().count()).toBe(4);
  await overview.alerts.getByRole("link", { name: "1 more" }).waitFor();
  const [services, alerts, hosts] = await Promise.all(
    [overview.services, overview.alerts, overview.hosts].map((one) => one.boundingBox()),
  );
  expect(alerts?.x).toBeGreaterThan((services?.x ?? 0) + (services?.width ?? 0));
  expect(hosts?.y).toBeGreaterThan((alerts?.y ?? 0) + (alerts?.height ?? 0));
  // Each service says what it has to do with them.
  const roleOf = (service: string) =>
    overview.services.getByRole("row").filter({ hasText: service }).getByRole("cell").last();
  await expect.poll(() => roleOf("catalog").innerText()).toBe("on the path");
  expect(await roleOf("pricing").innerText()).toBe("contributes");
  expect(await roleOf("search").innerText()).toBe("not localised");
  await roleOf("search").getByRole("link").click();
  await overview.page.getByRole("heading", { level: 2, name: /^search GET/ }).waitFor();
  await overview.page.goBack();
  await overview.verdictRows().first().click();
  await overview.page.getByRole("heading", { level: 2, name: /^postgres SELECT/ }).waitFor();
});

test("verdicts that do not come are said, and nothing is called calm", async () => {
  server.failing.add("/bottlenecks");
  const overview = await open();
  await overview.verdicts.getByRole("alert").getByText("The verdicts do not answer.").waitFor();
  await overview.alertRows().first().waitFor();
  server.failing.clear();
  await overview.page.keyboard.press("r");
  await overview.verdictRows().first().waitFor();
});
