// Alerts by hand: the list and its filters, one alert with its chart and links, and silencing.
import { expect, test } from "vitest";
import { AlertPage } from "../e2e/pages/AlertPage";
import { AlertsPage } from "../e2e/pages/AlertsPage";
import { overflowPx, phone } from "../e2e/pages/browser";
import { fingerprints, silenceId } from "./fixture/alerts";
import { openLogs, server, withFixture } from "./harness";

withFixture();

async function open(search = ""): Promise<AlertsPage> {
  const alerts = new AlertsPage((await openLogs()).page);
  await alerts.open(search);
  return alerts;
}

async function openAlert(fingerprint: string, search = ""): Promise<AlertPage> {
  const alert = new AlertPage((await openLogs()).page);
  await alert.open(fingerprint, search);
  return alert;
}

function parameter(page: { url: () => string }, name: string): string | null {
  return new URL(page.url()).searchParams.get(name);
}

const pressure = "On db-1 work waits for the CPU 58 % of the time";
const errors = "6.4 % of the calls of checkout fail";

test("open alerts by rule, what calls for somebody first; states are words", async () => {
  const alerts = await open();
  await expect
    .poll(() => alerts.groups())
    .toEqual([
      "HostCpuPressure",
      "ErrorLogSurge",
      "ServiceErrors",
      "TargetDown",
      "HostClockSkew",
      "DiskFilling",
      "ServiceLatency",
    ]);
  expect(await alerts.row(pressure).innerText()).toMatch(
    /Firing[\s\S]*host_name=db-1\s+resource=cpu\s+severity=critical\s+58\s%\s+limit >\s25\s%\s+last 24\sh\s+since 10:05:20\s+12\smin 20\ss/,
  );
  expect(await alerts.group("HostClockSkew").innerText()).toContain("Pending");
  expect(await alerts.group("DiskFilling").innerText()).toContain("Silenced");
  expect(await alerts.group("ServiceLatency").innerText()).toContain("Inhibited");
});

test("the strip of a day, from the ALERTS series", async () => {
  const alerts = await open();
  const strip = alerts.row(pressure).getByRole("img");
  // Twelve hours ago it fired for 19 min, over the end of a half hour.
  await expect.poll(() => strip.getAttribute("aria-label")).toBe("Of the last 24 hours firing in 1.5 h");
  const asked = server.requests.filter((one) => one.includes("ALERTS"));
  expect(asked).toHaveLength(1);
});

test("states and severities are chosen by their chips, counted, and in the address", async () => {
  const alerts = await open();
  await alerts.links().first().waitFor();
  expect(await alerts.chip("State", "Firing").innerText()).toMatch(/Firing\s*4/);
  expect(await alerts.chip("State", "Resolved").innerText()).toMatch(/Resolved\s*2/);
  await alerts.chip("State", "Resolved").click();
  await alerts.link("old-1 has sent nothing for 5 min").waitFor();
  expect(await alerts.links().count()).toBe(2);
  expect(await alerts.row("old-1 has sent nothing for 5 min").innerText()).toMatch(
    /ended 08:27:40\s+after 30\smin/,
  );
  await alerts.chip("Severity", "Critical").click();
  await expect.poll(() => alerts.links().count()).toBe(1);
  expect([parameter(alerts.page, "state"), parameter(alerts.page, "severity")]).toEqual([
    "resolved",
    "critical",
  ]);
  await alerts.page.reload();
  await expect.poll(() => alerts.links().count()).toBe(1);
  await alerts.chip("State", "Open").click();
  await expect.poll(() => alerts.links().allInnerTexts()).toEqual([pressure]);
});

test("the filter is in Alertmanager's syntax; a fault is told in its place and changes nothing", async () => {
  const alerts = await open();
  await alerts.links().first().waitFor();
  await alerts.filter.fill('service="checkout", alertname=~"Service.*"');
  await expect.poll(() => alerts.links().allInnerTexts()).toEqual([errors]);
  expect(parameter(alerts.page, "filter")).toBe('service="checkout", alertname=~"Service.*"');
  await alerts.filter.fill('service="checkout", alertname');
  const fault = alerts.page.getByText("After alertname an operator is missing");
  await fault.waitFor();
  expect(await alerts.page.locator("mark").innerText()).toBe("alertname");
  expect(await alerts.filter.getAttribute("aria-invalid")).toBe("true");
  expect(await alerts.links().allInnerTexts()).toEqual([errors]);
  await alerts.filter.fill("service=nobody");
  await alerts.page.getByRole("heading", { name: "No alert is like this" }).waitFor();
  await alerts.page.getByRole("button", { name: "Show all that is open" }).click();
  await expect.poll(() => alerts.links().count()).toBe(7);
  expect(new URL(alerts.page.url()).search).toBe("");
});

test("a link with a filter that cannot be read shows everything, and what is wrong", async () => {
  const alerts = await open("?filter=%7Bhost%3D");
  await alerts.page.getByText("The brace { is not closed").waitFor();
  expect(await alerts.links().count()).toBe(7);
});

test("a label is one click to the alerts that share it", async () => {
  const alerts = await open();
  await alerts.row(errors).getByRole("button", { name: "service=checkout" }).click();
  await expect.poll(() => alerts.groups()).toEqual(["ErrorLogSurge", "ServiceErrors"]);
  expect(await alerts.filter.inputValue()).toBe('{service="checkout"}');
});

test("sorted; and by keyboard: j, k, Enter", async () => {
  const alerts = await open();
  await alerts.links().first().waitFor();
  await alerts.sortBy("Longest first");
  await expect.poll(async () => (await alerts.groups())[0]).toBe("TargetDown");
  expect(parameter(alerts.page, "sort")).toBe("longest");
  await alerts.page.keyboard.press("j");
  await alerts.page.keyboard.press("j");
  await alerts.page.keyboard.press("j");
  await alerts.page.keyboard.press("k");
  await alerts.page.keyboard.press("Enter");
  await alerts.page.getByRole("heading", { level: 1, name: "DiskFilling" }).waitFor();
});

test("it refreshes by itself, and on request", async () => {
  const { page } = await openLogs();
  await page.clock.install();
  const alerts = new AlertsPage(page);
  await alerts.open("?refresh=5s");
  await alerts.links().first().waitFor();
  server.alerts.calm();
  await page.clock.runFor(5100);
  await page.getByRole("heading", { name: "No alert is open" }).waitFor();
  server.alerts.reset();
  await page.keyboard.press("r");
  await alerts.links().first().waitFor();
});

test("what is old says so: a list that stands is not taken for quiet", async () => {
  const alerts = await open();
  await alerts.links().first().waitFor();
  server.failing.add("/alerts");
  await alerts.page.keyboard.press("r");
  await alerts.page
    .getByRole("status")
    .getByText("As of 10:17:40 UTC: Too many searches run at once.")
    .waitFor();
  expect(await alerts.links().count()).toBe(7);
});

test("a storm: the first of each rule, the rest on request", async () => {
  server.alerts.storm(2500);
  const alerts = await open();
  const group = alerts.group("ContainerRestarts");
  await group.waitFor();
  expect(await group.getByRole("listitem").count()).toBe(20);
  await group.getByText("2,500 firing").waitFor();
  await group.getByRole("button", { name: "Show more: 2,480" }).click();
  await expect.poll(() => group.getByRole("listitem").count()).toBe(220);
});

test("nothing open, and an answer that fails", async () => {
  server.alerts.calm(false);
  const alerts = await open();
  await alerts.page.getByText("None was open in the last 5\u00a0days either.").waitFor();
  server.failing.add("/alerts");
  await alerts.page.reload();
  await alerts.page.getByRole("alert").getByText("Too many searches run at once").waitFor();
  server.failing.clear();
  server.alerts.reset();
  await alerts.page.getByRole("button", { name: "Try again" }).click();
  await alerts.links().first().waitFor();
});

test("one alert: a sentence, since when, its query with the limit, who is told, its past", async () => {
  const alert = await openAlert(fingerprints.pressure);
  expect(await alert.headline.innerText()).toBe(pressure);
  const summary = await alert.panel("Summary").innerText();
  expect(summary).toMatch(/Critical\s+Firing\s+since 2026-11-25 10:05:20 UTC, 12\smin 20\ss/);
  expect(summary).toMatch(/db-1\s+value 58\s% where the limit is >\s25\s%/);
  await alert.chart.waitFor();
  expect(await alert.panel("Query").innerText()).toContain("> 0.25");
  // Its own series, not those of the other hosts.
  expect(await alert.panel("Query").innerText()).toContain('{host_name="db-1"}');
  expect(await alert.panel("Who is told").innerText()).toMatch(
    /on-call\s+one message for alertname=HostCpuPressure, host_name=db-1\s+email on-call@shop\.example\s+last sent 2026-11-25 10:05:30/,
  );
  expect(await alert.panel("History").getByRole("listitem").allInnerTexts()).toEqual([
    expect.stringMatching(/2026-11-25 10:05:20\s+fired\s+until now, 12\smin 20\ss/),
    expect.stringMatching(/2026-11-25 10:04:20\s+pending\s+until 10:05:20, 1\smin/),
    expect.stringMatching(/2026-11-24 21:48:40\s+fired\s+until 22:07:40, 19\smin/),
    expect.stringMatching(/2026-11-24 21:47:40\s+pending\s+until 21:48:40, 1\smin/),
  ]);
  expect(await alert.panel("Rule").innerText()).toMatch(
    /Group\s+host\s+File\s+shipped\/host\.yaml\s+Fires after\s+1\smin/,
  );
});

test("the chart asks for the rule's left side only, and shows every series on request", async () => {
  const alert = await openAlert(fingerprints.pressure);
  await alert.chart.waitFor();
  const asked = server.requests.filter((one) => one.startsWith("/query_range") && one.includes("pressure"));
  expect(asked).toHaveLength(1);
  expect(decodeURIComponent(asked[0] ?? "")).not.toContain("0.25");
  await alert.page.getByRole("button", { name: "All 6 series" }).click();
  await alert.panel("Query").getByText("app-4").waitFor();
  expect(parameter(alert.page, "series")).toBe("all");
});

test("of a service: its rate, errors and latency at the time, whatever the rule looks at", async () => {
  const alert = await openAlert(fingerprints.errors);
  const then = alert.panel("checkout at the time");
  for (const name of ["Rate", "Errors", "Latency"])
    await then.getByRole("img", { name: new RegExp(`^${name}`) }).waitFor();
  const ofHost = await openAlert(fingerprints.pressure);
  await ofHost.chart.waitFor();
  expect(await ofHost.page.getByRole("region", { name: /at the time$/ }).count()).toBe(0);
});

test("where it leads: host, logs, traces, runbook, the alerts that share a label", async () => {
  const alert = await openAlert(fingerprints.pressure);
  const href = (name: string) =>
    alert.page.getByRole("main").getByRole("link", { name, exact: true }).getAttribute("href");
  const time = "from=2026-11-25T09%3A17%3A40.000Z&to=2026-11-25T10%3A17%3A40.000Z";
  expect(await href("Host db-1")).toBe(`/hosts/db-1?${time}`);
  expect(await href("Logs")).toBe(`/logs?query=host%3Adb-1&${time}`);
  expect(await href("Traces of db-1")).toBe(`/traces?query=host%3Adb-1&${time}`);
  expect(await href("Runbook")).toBe("https://runbooks.example.com/host-cpu-pressure");
  expect(await href("https://wiki.example.com/cpu-pressure")).toBe("https://wiki.example.com/cpu-pressure");
  expect(await href("Open the rule")).toBe("/alerts/rules?rule=host%2FHostCpuPressure");
  await alert.page.getByRole("link", { name: "resource=cpu" }).click();
  await expect.poll(() => alert.page.url()).toContain("/alerts?filter=");
  await alert.page.getByRole("link", { name: pressure }).waitFor();
});

test("what another program wrote is text: no markup, no link but to the web", async () => {
  const alert = await openAlert(fingerprints.foreign);
  await alert.panel("Summary").getByText('<img src=x onerror="alert(1)">').waitFor();
  expect(await alert.page.locator("main img").count()).toBe(0);
  expect(await alert.page.locator('a[href^="javascript"], a[href^="data"]').count()).toBe(0);
  expect(await alert.panel("Rule").innerText()).toContain("javascript:alert(document.cookie)");
  await alert.panel("Query").getByText("its rule is not known").waitFor();
});

test("one that ended still opens, at its own time", async () => {
  const alert = await openAlert(fingerprints.silent);
  expect(await alert.panel("Summary").innerText()).toMatch(
    /Resolved\s+ended 2026-11-25 08:27:40 UTC, after 30\smin/,
  );
  await alert.chart.waitFor();
  await alert.page.getByRole("button", { name: /Time range:.*07:27:00 – 08:43:00/ }).waitFor();
});

test("an id that nobody knows says what may have happened", async () => {
  const { page } = await openLogs();
  await page.goto("/alerts/ffffffffffffffff");
  await page.getByRole("heading", { name: "This alert is not known any more" }).waitFor();
  await page.getByRole("link", { name: "Open all alerts" }).click();
  await new AlertsPage(page).links().first().waitFor();
});

test("a rule over logs: what its search counts over time, and the way to the records", async () => {
  const alert = await openAlert(fingerprints.logs);
  await alert.chart.waitFor();
  const link = alert.panel("Search").getByRole("link", { name: "Open in Logs" });
  expect(await link.getAttribute("href")).toMatch(
    /^\/logs\?query=severity%3Aerror\+%7C\+stats\+count%28%29\+by\+service&from=/,
  );
});

test("why nobody is told: the silence with its author, or the alert that stands for it", async () => {
  const silenced = await openAlert(fingerprints.disk);
  await silenced.page.getByText("by admin: The queue is moved to a larger disk at noon.").waitFor();
  expect(await silenced.page.getByRole("link", { name: /^Silenced until/ }).getAttribute("href")).toBe(
    `/alerts/silences/${silenceId}`,
  );
  const inhibited = await openAlert(fingerprints.latency);
  await inhibited.page.getByRole("link", { name: "another alert" }).click();
  await inhibited.page.getByRole("heading", { level: 1, name: "HostCpuPressure" }).waitFor();
});

test("silencing an alert: its labels, what they match, and afterwards it is silenced", async () => {
  const alert = await openAlert(fingerprints.errors);
  await alert.silence.click();
  await alert.form.waitFor();
  await alert.preview.getByText("1 alert of 6 open").waitFor();
  expect(await alert.matcher(1).label.inputValue()).toBe("alertname");
  expect(await alert.matcher(1).value.inputValue()).toBe("ServiceErrors");
  await alert.form.getByRole("button", { name: "4\u00a0h" }).click();
  expect(await alert.form.getByLabel("Until, UTC").inputValue()).toBe("2026-11-25 14:17:40");
  await alert.saveSilence("a deploy is rolled back");
  await alert.page.getByRole("heading", { name: "Quiet until 2026-11-25 14:17:40 UTC" }).waitFor();
  const saved = server.alerts.silences.at(-1);
  expect(saved).toMatchObject({
    createdBy: "admin",
    comment: "a deploy is rolled back",
    startsAt: "2026-11-25T10:17:40.000Z",
    endsAt: "2026-11-25T14:17:40.000Z",
    matchers: [
      { name: "alertname", value: "ServiceErrors", isRegex: false, isEqual: true },
      { name: "service", value: "checkout", isRegex: false, isEqual: true },
      { name: "severity", value: "warning", isRegex: false, isEqual: true },
    ],
  });
  await alert.page.getByRole("link", { name: "Open these alerts" }).click();
  const row = new AlertsPage(alert.page).row(errors);
  await row.waitFor();
  expect(await row.innerText()).toContain("Silenced");
});

test("the form of a silence: matchers are edited, the preview follows, faults are told", async () => {
  const alert = new AlertPage((await openLogs()).page);
  await alert.openSilence('{alertname="ServiceErrors"}');
  await alert.preview.getByText("1 alert of 6 open").waitFor();
  await alert.matcher(1).operator.selectOption("=~");
  await alert.matcher(1).value.fill("Service.*");
  await alert.preview.getByText("2 alerts of 6 open").waitFor();
  await alert.form.getByRole("button", { name: "Add a matcher" }).click();
  await alert.matcher(2).label.fill("service");
  await alert.matcher(2).value.fill("nobody");
  await alert.preview.getByText("No alert that is open now matches").waitFor();
  await alert.form.getByRole("button", { name: "Remove matcher 2" }).click();
  await alert.matcher(1).value.fill(".*");
  await alert.preview.getByText("This silences every alert that is open now: all 6.").waitFor();
  await alert.form.getByText("Let at least one require a value.").waitFor();
  await alert.matcher(1).value.fill("(");
  await alert.form.getByText("( is no regular expression.").waitFor();
  await alert.matcher(1).value.fill("ServiceErrors");
  await alert.form.getByLabel("Until, UTC").fill("2026-11-25 09:00:00");
  await alert.form.getByText("The end has passed").waitFor();
  await alert.saveSilence("");
  await alert.form.getByText("Say why: others will read it at night.").waitFor();
  expect(server.alerts.silences).toHaveLength(1);
});

test("a silence that is refused says why and keeps what was written", async () => {
  const alert = new AlertPage((await openLogs()).page);
  await alert.openSilence('{alertname="ServiceErrors"}');
  await alert.preview.getByText("1 alert of 6 open").waitFor();
  server.failing.add("/silences");
  await alert.saveSilence("why");
  await alert.form.getByRole("alert").getByText("Too many requests run at once.").waitFor();
  expect(await alert.form.getByLabel("Comment").inputValue()).toBe("why");
  server.failing.clear();
  await alert.form.getByRole("button", { name: "Silence", exact: true }).click();
  await alert.page.getByRole("heading", { name: /^Quiet until/ }).waitFor();
});

test("a link with matchers that cannot be read says so, and keeps those that can", async () => {
  const alert = new AlertPage((await openLogs()).page);
  await alert.openSilence('{alertname="ServiceErrors", service}');
  await alert.page
    .getByRole("alert")
    .getByText(/cannot be read from character 29 on: After service/)
    .waitFor();
  expect(await alert.matcher(1).value.inputValue()).toBe("ServiceErrors");
});

test("a viewer may look; what changes something is off and says why", async () => {
  server.role = "viewer";
  const alert = await openAlert(fingerprints.pressure);
  const why = "You are a viewer of default: editors and admins may do this.";
  expect(await alert.page.getByRole("button", { name: "Silence" }).isDisabled()).toBe(true);
  await alert.page.getByText(why).waitFor();
  await alert.openSilence('{alertname="ServiceErrors"}');
  await alert.page.getByText(why).waitFor();
  expect(await alert.form.getByRole("button", { name: "Silence", exact: true }).isDisabled()).toBe(true);
  expect(await alert.form.getByLabel("Comment").isDisabled()).toBe(true);
  const alerts = new AlertsPage(alert.page);
  await alerts.open();
  await alerts.links().first().waitFor();
  expect(await alerts.page.getByRole("link", { name: /^Silence(?!s)/ }).count()).toBe(0);
});

test("on a phone everything is there, controls are 44 px, and the action is pinned above the bar", async () => {
  const { page } = await openLogs({ size: phone, touch: true });
  const alert = new AlertPage(page);
  await alert.open(fingerprints.pressure);
  await alert.chart.waitFor();
  const bar = await page.getByRole("navigation", { name: "Pages" }).boundingBox();
  const pinned = async () => {
    const box = await alert.silence.boundingBox();
    expect(box?.height).toBe(44);
    expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual(bar?.y ?? 0);
    expect((bar?.y ?? 0) - (box?.y ?? 0)).toBeLessThan(80);
  };
  await pinned();
  await alert.panel("Rule").scrollIntoViewIfNeeded();
  await pinned();
  for (const title of ["Query", "History", "Look at", "Who is told", "Labels", "Rule"])
    await alert.panel(title).waitFor();
  expect(await overflowPx(page)).toBe(0);
  await alert.silence.tap();
  await alert.form.waitFor();
  const save = await alert.form.getByRole("button", { name: "Silence", exact: true }).boundingBox();
  expect((bar?.y ?? 0) - (save?.y ?? 0)).toBeLessThan(80);
});
