// The way of a person on call: which verdict, is it believable, what proves it, and what next.
import { expect, test } from "vitest";
import { type OpenOptions, phone } from "../e2e/pages/browser";
import { TracePage } from "../e2e/pages/TracePage";
import { VerdictPage } from "../e2e/pages/VerdictPage";
import { fingerprints } from "./fixture/alerts";
import { verdictIds } from "./fixture/bottlenecks";
import { checkoutId } from "./fixture/traces";
import { openLogs, server, withFixture } from "./harness";

withFixture();

async function fresh(options: OpenOptions = {}): Promise<VerdictPage> {
  return new VerdictPage((await openLogs(options)).page);
}

async function opened(id: string, search = "", options: OpenOptions = {}): Promise<VerdictPage> {
  const verdict = await fresh(options);
  await verdict.open(id, search);
  return verdict;
}

test("the list: what goes on first, then what was not localised, then what is over; keys, filter, states", async () => {
  const list = await fresh();
  await list.openList();
  await expect
    .poll(() => list.rows().evaluateAll((rows) => rows.map((row) => row.getAttribute("data-verdict"))))
    .toEqual([
      verdictIds.index,
      verdictIds.payments,
      verdictIds.search,
      verdictIds.neighbour,
      verdictIds.network,
    ]);
  await list
    .panel("Not localised")
    .getByText(/nobody explains a quarter/)
    .waitFor();
  expect(await list.panel("Closed").innerText()).toMatch(/admin: correct[\s\S]*admin: wrong/);
  await list.page.getByRole("button", { name: /^Closed/ }).click();
  await expect.poll(() => list.rows().count()).toBe(2);
  await list.page.goBack();
  await list.page.keyboard.press("/");
  await list.page.keyboard.type("noisy");
  await expect.poll(() => list.rows().count()).toBe(1);
  expect(list.params().get("filter")).toBe("noisy");
  await list.page.keyboard.type(" nothing");
  await list.page.getByRole("heading", { name: "No verdict is like this" }).waitFor();
  await list.page.getByRole("button", { name: "Show all 5" }).click();
  await expect.poll(() => list.rows().count()).toBe(5);
  await list.page.keyboard.press("Escape");
  await list.page.locator("h1").click();
  await list.page.keyboard.press("j");
  await list.page.keyboard.press("j");
  await list.page.keyboard.press("k");
  await list.page.keyboard.press("Enter");
  await list.headline.getByText("adds 690 of 760 ms").waitFor();
});

test("g b opens the list, the rail counts what is open, the palette knows the page and each verdict", async () => {
  const logs = await openLogs();
  await logs.open();
  const rail = logs.page
    .getByRole("navigation", { name: "Pages" })
    .getByRole("link", { name: /^Bottlenecks/ });
  await expect.poll(() => rail.innerText()).toMatch(/^Bottlenecks\s+3\s+open$/);
  await logs.page.keyboard.press("g");
  await logs.page.keyboard.press("b");
  await logs.page.getByRole("heading", { level: 1, name: "Bottlenecks" }).waitFor();
  await logs.page.keyboard.press("Control+k");
  await logs.page.keyboard.type("stripe");
  await logs.page.keyboard.press("Enter");
  await new VerdictPage(logs.page).headline.getByText("api.stripe.com refuses").waitFor();
});

test("one verdict: the sentence, how sure, the fix, the path, and keeps that sum to the symptom", async () => {
  const verdict = await opened(verdictIds.index);
  const head = verdict.page.getByRole("region", { name: "Verdict" });
  expect((await head.innerText()).replaceAll("\u00a0", " ")).toMatch(
    /Open 14 min 20 s[\s\S]*High confidence[\s\S]*right in 96 % of 142 test cases[\s\S]*9,120 slow requests, 71 % of all[\s\S]*since\s+10:03:20[\s\S]*Slow statement, missing index\.[\s\S]*Without it a mean of 188 ms is expected, under the 210 ms/,
  );
  expect((await verdict.path.innerText()).replaceAll("\u00a0", " ")).toMatch(
    /edge[\s\S]*118 → 878 ms[\s\S]*\+735 ms[\s\S]*\+712 ms[\s\S]*\+690 ms[\s\S]*bottleneck[\s\S]*1.2 → 62.3 ms × 11.3 calls/,
  );
  expect(await verdict.hops()).toEqual([
    "edge POST /checkout 760 735 25",
    "checkout POST /checkout 735 712 23",
    "catalog GET /products 712 690 22",
    expect.stringMatching(/^postgres SELECT .* 690 – 690$/),
  ]);
  await verdict.funnel.getByText("= 760 ms").waitFor();
  await verdict.symptom.getByRole("img", { name: /^Latency of edge POST \/checkout/ }).waitFor();
  expect(await verdict.evidence.locator("article").count()).toBe(6);
  expect((await verdict.card("Traces").innerText()).replaceAll("\u00a0", " ")).toMatch(/14 → 704 ms/);
  expect((await verdict.card("Change").innerText()).replaceAll("\u00a0", " ")).toMatch(
    /15 s before[\s\S]*10:03:05/,
  );
  await verdict.panel("What slow requests share").getByText("Seq Scan").waitFor();
  await verdict.panel("What slow requests share").getByRole("button", { name: "1 more" }).click();
  await verdict.panel("What slow requests share").getByText("user.tier").waitFor();
  await verdict.panel("Ruled out").getByText("6 causes checked").waitFor();
  expect(await verdict.panel("What to do").innerText()).toMatch(
    /Roll back migration 8121\.[\s\S]*395 of 410 req\/s before the CPU of db-1 is full[\s\S]*Also contributes: pricing[\s\S]*97\s% of hops/,
  );
});

test("it fits one screen of 1440 × 900", async () => {
  const verdict = await opened(verdictIds.index);
  await verdict.symptom.getByRole("img").first().waitFor();
  const rest = () => verdict.page.locator("main").evaluate((main) => main.scrollHeight - main.clientHeight);
  await expect.poll(rest).toBe(0);
});

test("small keeps are seen when the culprit is cut, and the address keeps that", async () => {
  const verdict = await opened(verdictIds.index);
  await verdict.funnel.getByRole("button", { name: "Zoom to what is kept" }).click();
  await verdict.funnel.getByText("690 ms, cut").waitFor();
  expect(verdict.params().get("zoom")).toBe("kept");
});

test("evidence: its chart, its raw series, an exemplar with the critical path painted, and back to the verdict", async () => {
  const verdict = await opened(verdictIds.index);
  await verdict.card("Traces").getByRole("button", { name: "Traces" }).click();
  expect(verdict.params().get("evidence")).toBe("0");
  await verdict.drawer.getByRole("img", { name: /^Traces\. catalog rose/ }).waitFor();
  await verdict.page.keyboard.press("j");
  await verdict.drawer.getByText("2 of 7").waitFor();
  await verdict.page.keyboard.press("k");
  await verdict.drawer.getByRole("link", { name: checkoutId.slice(0, 16) }).click();
  const trace = new TracePage(verdict.page);
  await trace.grid.waitFor();
  await verdict.page.getByText("Critical path 1.05").waitFor();
  await verdict.page
    .getByRole("complementary", { name: "Bottleneck" })
    .getByRole("link", { name: `Verdict ${verdictIds.index}` })
    .click();
  await verdict.headline.waitFor();
  await verdict.page.goBack();
  await verdict.page.goBack();
  await verdict.drawer.getByRole("link", { name: "Open in Metrics" }).click();
  await verdict.page.getByRole("heading", { level: 1, name: "Metrics" }).waitFor();
  expect(verdict.params().get("q")).toMatch(/^sum\(rate\(narrows_edge_client_duration_seconds_sum/);
  expect(verdict.params().get("from")).toBe("2026-11-25T09:18:20.000Z");
});

test("evidence of logs and of traces opens where it can be searched further", async () => {
  const verdict = await opened(verdictIds.index);
  await verdict.card("Logs").getByRole("link", { name: "Open in Logs" }).click();
  await verdict.page.getByRole("heading", { level: 1, name: "Logs" }).waitFor();
  expect(verdict.params().get("query")).toBe('service:catalog "slow query"');
  await verdict.page.goBack();
  await verdict.card("Critical path").getByRole("link", { name: "Open in Traces" }).click();
  await verdict.page.getByRole("heading", { level: 1, name: "Traces" }).waitFor();
  expect(verdict.params().get("order")).toBe("slowest");
  await verdict.page.goBack();
  await verdict.panel("What slow requests share").getByRole("link", { name: "9f3c1a" }).click();
  await verdict.page.getByRole("heading", { level: 1, name: "Traces" }).waitFor();
  expect(verdict.params().get("query")).toBe('service:postgres db.query.hash:"9f3c1a"');
});

test("not localised: candidates in place of a culprit, the rest drawn as not explained, what was not seen", async () => {
  const verdict = await opened(verdictIds.search);
  expect((await verdict.panel("Candidates").innerText()).replaceAll("\u00a0", " ")).toMatch(
    /none explains 25 % of 240 ms[\s\S]*redis\s+Cache miss storm\s+46 ms\s+19 %[\s\S]*search → redis\s+Network latency\s+22 ms\s+9 %/,
  );
  expect((await verdict.hops()).at(-1)).toBe("no hop keeps it 160 – 160");
  await verdict.evidence.getByText("No host metrics of app-5.").waitFor();
  expect(await verdict.page.getByRole("button", { name: "Correct" }).count()).toBe(0);
});

test("errors are shares, and a hop that sends nothing is bridged", async () => {
  const verdict = await opened(verdictIds.payments);
  expect((await verdict.hops()).at(-1)).toMatch(/^api\.stripe\.com POST \/charges .*5\.61 – 5\.61$/);
  await verdict.funnel.getByText("= 6.30 %").waitFor();
  expect(await verdict.path.innerText()).toMatch(/egress\s+sends no spans[\s\S]*bridged/);
  await verdict.symptom.getByText("edge POST /checkout, failures, % of requests").waitFor();
  expect(await verdict.page.getByRole("region", { name: "Verdict" }).innerText()).toMatch(
    /still over the 0\.5\s%/,
  );
});

test("of a queue messages wait: the chart, the impact and the hops say so", async () => {
  server.bottlenecks.piled();
  const verdict = await opened(verdictIds.backlog);
  await verdict.headline.getByText("to the wait in orders").waitFor();
  await verdict.symptom.getByText("rabbitmq orders, wait of messages").waitFor();
  await verdict.symptom.getByRole("img", { name: /^Wait of messages of rabbitmq orders/ }).waitFor();
  const went = verdict.panel("Where it went");
  expect(await went.innerText()).toMatch(/mean per message[\s\S]*rabbitmq[\s\S]*worker/);
  const page = await verdict.page.locator("main").innerText();
  expect(page).toMatch(/2,140 late messages, 100\s% of all/);
  expect(page).toMatch(/Queue backlog, no consumer/);
  expect(page).not.toMatch(/slow requests/);
});

test("feedback: correct at once, wrong with what it was; a viewer is told why not", async () => {
  const verdict = await opened(verdictIds.index);
  await verdict.page.getByRole("button", { name: "Correct" }).click();
  await verdict.page.getByText("admin said correct").waitFor();
  await verdict.page.getByRole("button", { name: "Wrong" }).click();
  const dialog = verdict.page.getByRole("dialog", { name: "What was it?" });
  server.failing.add("/feedback");
  await dialog.getByRole("textbox").fill("the proxy");
  await dialog.getByRole("button", { name: "Mark as wrong" }).click();
  await dialog
    .getByRole("alert")
    .getByText(/^Not saved: The verdicts do not answer/)
    .waitFor();
  server.failing.clear();
  await dialog.getByRole("button", { name: "Mark as wrong" }).click();
  await verdict.page.getByText("admin said wrong").waitFor();
  expect(server.bottlenecks.list.find(({ id }) => id === verdictIds.index)?.feedback).toMatchObject({
    answer: "wrong",
    actual: "the proxy",
  });
  server.role = "viewer";
  await verdict.page.reload();
  const wrong = verdict.page.getByRole("button", { name: "Wrong" });
  await wrong.waitFor();
  expect(await wrong.isDisabled()).toBe(true);
  expect(await wrong.getAttribute("title")).toMatch(/^You are a viewer/);
});

test("revisions: an older one says so; a shared link names the revision", async () => {
  const verdict = await opened(verdictIds.index);
  await verdict.page.getByRole("button", { name: "rev 2" }).click();
  await verdict.page.getByRole("button", { name: /^rev 1, 10:04:00/ }).click();
  await verdict.headline.getByText("adds 520 of 760 ms").waitFor();
  expect(verdict.params().get("rev")).toBe("1");
  await verdict.page.getByText("Revision 1 of 2, as it was said then.").waitFor();
  await verdict.page.getByRole("button", { name: "Show the newest" }).click();
  await verdict.headline.getByText("adds 690 of 760 ms").waitFor();
  await verdict.page.getByRole("button", { name: "Share" }).click();
  await verdict.page.getByRole("button", { name: "Copied" }).waitFor();
  expect(await verdict.page.evaluate("navigator.clipboard.readText()")).toMatch(
    new RegExp(`/bottlenecks/${verdictIds.index}\\?rev=2$`),
  );
});

test("one click from an alert, a service, the map; and back to the alert", async () => {
  const { page } = await openLogs();
  const verdict = new VerdictPage(page);
  await page.goto(`/alerts/${fingerprints.errors}`);
  await page.getByRole("region", { name: "Bottleneck" }).getByRole("link", { name: "Open verdict" }).click();
  await verdict.headline.getByText("adds 690 of 760 ms").waitFor();
  await page.getByRole("link", { name: /^Open first of 2 alerts/ }).click();
  await page.getByRole("heading", { level: 1, name: "ServiceErrors" }).waitFor();
  const note = page.getByRole("complementary", { name: "Bottleneck" });
  await page.goto("/services/catalog");
  await note.getByText(/edge POST \/checkout is slow because of postgres: 690\sms of 760\sms\./).waitFor();
  await page.goto("/services/map?node=postgres");
  await note.getByText(/^The bottleneck: it adds 690\sms/).waitFor();
  const label = page.getByRole("region", { name: "Service map" }).locator("svg text", { hasText: "+690" });
  await label.waitFor({ state: "attached" });
  await note.getByRole("link").click();
  await verdict.headline.getByText("adds 690 of 760 ms").waitFor();
});

test("what is not there, and what does not answer", async () => {
  const verdict = await fresh();
  await verdict.page.goto("/bottlenecks/v_none");
  await verdict.page.getByRole("heading", { name: "There is no such verdict" }).waitFor();
  server.failing.add("/symptom");
  await verdict.open(verdictIds.index);
  await verdict.symptom.getByRole("alert").getByText("The verdicts do not answer.").waitFor();
  await verdict.funnel.getByText("= 760 ms").waitFor();
  server.failing.clear();
  server.bottlenecks.list = [];
  await verdict.openList();
  await verdict.page.getByRole("heading", { name: "No verdict yet" }).waitFor();
  expect(await verdict.page.getByRole("link", { name: "How to send traces" }).getAttribute("href")).toBe(
    "/services",
  );
});

test("on a phone the path goes down, and the first action stays within reach", async () => {
  const verdict = await opened(verdictIds.index, "", { size: phone, touch: true });
  const boxes = await Promise.all(
    ["edge", "checkout", "postgres"].map((name) =>
      verdict.path.getByText(name, { exact: true }).boundingBox(),
    ),
  );
  expect(new Set(boxes.map((box) => box?.x)).size).toBe(1);
  const open = verdict.page.getByRole("link", { name: /^Open first of 2 alerts/ });
  expect((await open.boundingBox())?.height).toBeGreaterThanOrEqual(44);
  await verdict.panel("What to do").scrollIntoViewIfNeeded();
  expect((await open.boundingBox())?.y).toBeLessThan(phone.height);
});
