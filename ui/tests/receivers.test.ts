import { expect, test } from "vitest";
import { ReceiversPage } from "../e2e/pages/ReceiversPage";
import { openLogs, server, withFixture } from "./harness";

withFixture();

async function openReceivers(): Promise<ReceiversPage> {
  const receivers = new ReceiversPage((await openLogs()).page);
  await receivers.open();
  return receivers;
}

const plain = (text: string) => text.replaceAll("\u00a0", " ").replace(/\s+/g, " ");

test("each receiver: by what, to whom, the last message, how many arrived", async () => {
  const receivers = await openReceivers();
  expect(plain(await receivers.integration("on-call", "e-mail").innerText())).toBe(
    "e-mail on-call@shop.example 2026-11-25 10:05:30, 212 ms 41 0 told, too",
  );
  expect(plain(await receivers.integration("shop-team", "Slack").innerText())).toContain(
    "failed: channel_not_found",
  );
  expect(plain(await receivers.integration("shop-team", "webhook").innerText())).toContain(
    "none since the start",
  );
  expect(plain(await receivers.integration("shop-team", "Opsgenie").innerText())).toContain("not sent yet");
  await receivers.page.getByText("By /etc/narrows/alertmanager.yml.").waitFor();
});

test("the tree of routes, and at each receiver those that lead there", async () => {
  const receivers = await openReceivers();
  await receivers.routes.nth(3).waitFor();
  expect((await receivers.routes.allInnerTexts()).map(plain)).toEqual([
    "every alert to on-call one message per alertname, service, host, after 10 s, changes every 1 min, again after 4 h",
    'team="shop" to shop-team and goes on one message per alertname, service, after 30 s, quiet in weekends',
    'severity="critical" service=~"checkout|payment" to on-call one message per alert, at once, again after 1 h',
    'severity="info" to nobody only in office-hours',
  ]);
  expect(await receivers.receiver("on-call").getByRole("listitem").count()).toBe(2);
  const lefts = await receivers.routes.evaluateAll((items) =>
    items.map((item) => (item.firstElementChild as HTMLElement).getBoundingClientRect().left),
  );
  expect(lefts.map((left) => Math.round(left - (lefts[0] ?? 0)))).toEqual([0, 20, 40, 20]);
});

test("a test says at each integration whether it arrived", async () => {
  server.notify.testMs = 300;
  const receivers = await openReceivers();
  await receivers.testButton("shop-team").click();
  await expect.poll(() => receivers.testButton("shop-team").isDisabled()).toBe(true);
  await receivers.receiver("shop-team").getByText("The test failed at 1 of 2 integrations.").waitFor();
  expect(plain(await receivers.integration("shop-team", "Slack").innerText())).toContain(
    "test failed: slack answered 404: channel_not_found",
  );
  expect(plain(await receivers.integration("shop-team", "webhook").innerText())).toContain(
    "test arrived in 180 ms",
  );
  await receivers.testButton("on-call").click();
  await receivers.receiver("on-call").getByText("The test arrived everywhere: 2 messages.").waitFor();
});

test("a test that could not be sent says why, and who may not send one sees it", async () => {
  server.failing.add("/receivers/on-call/test");
  const receivers = await openReceivers();
  await receivers.testButton("on-call").click();
  await receivers
    .receiver("on-call")
    .getByText(/The test was not sent: The document store/)
    .waitFor();
  expect(await receivers.testButton("nobody").isDisabled()).toBe(true);
  server.role = "viewer";
  await receivers.open();
  await receivers.testButton("on-call").waitFor();
  expect(await receivers.testButton("on-call").isDisabled()).toBe(true);
  expect(await receivers.testButton("on-call").getAttribute("title")).toMatch(/^You are a viewer of default/);
});

test("as it comes nobody is told: said first, with what to write where", async () => {
  server.notify.shipped();
  const receivers = await openReceivers();
  const notice = receivers.page.getByRole("region", { name: "Nobody is told" });
  await notice.getByRole("heading", { name: /^Nobody is told/ }).waitFor();
  expect(await notice.getByRole("figure").first().innerText()).toContain("receiver: on-call");
  expect(await receivers.receiver("on-call").innerText()).toContain("No integration");
  await receivers.page.getByText(/^By the configuration that came with Narrows/).waitFor();
});

test("what is wrong with the file, and that the last good one is in force", async () => {
  server.notify.broken();
  const receivers = await openReceivers();
  const problems = receivers.page.getByRole("region", { name: "Problems of /etc/narrows/alertmanager.yml" });
  expect(await problems.innerText()).toContain("The last version that could be read is in force");
  expect(plain(await problems.getByRole("listitem").nth(1).innerText())).toBe(
    "31:18 Smarthost is not HOST:PORT.",
  );
  await receivers.integration("on-call", "e-mail").waitFor();
});

test("a refused answer is asked for again", async () => {
  server.failing.add("/receivers");
  const receivers = await openReceivers();
  await receivers.page.getByRole("alert").waitFor();
  server.failing.clear();
  await receivers.page.getByRole("button", { name: "Try again" }).click();
  await receivers.receiver("on-call").waitFor();
});
