import { expect, test } from "vitest";
import { SilencesPage } from "../e2e/pages/SilencesPage";
import { someSilences } from "./fixture/notify";
import { openLogs, server, withFixture } from "./harness";

withFixture();

async function openSilences(search = ""): Promise<SilencesPage> {
  const silences = new SilencesPage((await openLogs()).page);
  await silences.open(search);
  return silences;
}

const param = ({ page }: SilencesPage, name: string) => new URL(page.url()).searchParams.get(name);
const plain = (text: string) => text.replaceAll("\u00a0", " ");

test("what is in force, the one that ends first above: matchers, when, how many it matches, who and why", async () => {
  server.alerts.silences = someSilences();
  const silences = await openSilences();
  await expect.poll(() => silences.rows.count()).toBe(3);
  const rows = (await silences.rows.allInnerTexts()).map(plain);
  expect(rows[0]).toMatch(/^active\s+host_name="mq-1"\s+ends in 1 h 42 min\s+1 alert\s+the queue is moved/);
  expect(rows[1]).toMatch(
    /^active\s+service=~"edge\|checkout"\s+severity!="critical"\s+ends in 3 d\s+0 alerts/,
  );
  expect(rows[2]).toMatch(/^pending\s+alertname="HostSilent"\s+begins in 10 h, for 2 h\s+0 alerts/);
  expect(await silences.row("mq-1").getByRole("link", { name: "1 alert" }).getAttribute("href")).toBe(
    `/alerts?${new URLSearchParams({ filter: '{host_name="mq-1"}' })}`,
  );
});

test("by state and by words; both are in the address", async () => {
  server.alerts.silences = someSilences();
  const silences = await openSilences();
  await silences.state("expired").click();
  await expect.poll(() => silences.rows.count()).toBe(1);
  expect(plain(await silences.rows.innerText())).toMatch(/^expired[\s\S]*ended 5 h ago\s+–/);
  expect(param(silences, "state")).toBe("expired");
  await silences.state("expired").click();
  await silences.find.fill("checkout rollout");
  await expect.poll(() => silences.rows.count()).toBe(1);
  await silences.page.reload();
  await expect.poll(() => silences.rows.count()).toBe(1);
  await silences.find.fill("nothing like it");
  await silences.page.getByRole("button", { name: "Show what is in force" }).click();
  await expect.poll(() => silences.rows.count()).toBe(3);
});

test("ending one asks by its matchers, and says who is told again", async () => {
  server.alerts.silences = someSilences();
  const silences = await openSilences();
  await silences.row("mq-1").getByRole("button", { name: 'End {host_name="mq-1"}' }).click();
  const dialog = silences.page.getByRole("dialog", { name: 'End the silence {host_name="mq-1"}?' });
  expect(await dialog.innerText()).toContain("People are told again of 1 alert that it keeps quiet now.");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  expect(server.alerts.silences[0]?.status.state).toBe("active");
  await silences.end('{host_name="mq-1"}');
  await expect.poll(() => silences.rows.count()).toBe(2);
  await expect.poll(async () => plain(await silences.state("expired").innerText())).toMatch(/2$/);
});

test("one is edited: its form is filled, and what is saved keeps its id", async () => {
  server.alerts.silences = someSilences();
  const silences = await openSilences();
  await silences.table.getByRole("link", { name: 'Edit {host_name="mq-1"}' }).click();
  const comment = silences.page.getByLabel("Comment");
  expect(await comment.inputValue()).toBe("the queue is moved to a larger disk at noon");
  expect(await silences.page.getByLabel("Value").inputValue()).toBe("mq-1");
  await comment.fill("moved at two");
  await silences.page.getByRole("button", { name: "Save the silence" }).click();
  await silences.row("moved at two").waitFor();
  expect(server.alerts.silences.map(({ id }) => id)).toEqual(someSilences().map(({ id }) => id));
});

test("one that ended begins anew as another silence", async () => {
  server.alerts.silences = someSilences();
  const silences = await openSilences("?state=expired");
  await silences.table.getByRole("link", { name: /^Begin anew/ }).click();
  await silences.page.getByRole("heading", { name: "Begin a silence anew" }).waitFor();
  await silences.page.getByRole("button", { name: "Silence", exact: true }).click();
  await silences.row("the night before").waitFor();
  expect(server.alerts.silences).toHaveLength(5);
  expect(plain(await silences.row("the night before").innerText())).toMatch(/^active[\s\S]*ends in 5 h/);
});

test("none, one that is gone, a refusal", async () => {
  server.alerts.silences = [];
  const silences = await openSilences();
  await silences.page.getByRole("heading", { name: "Nothing is silenced" }).waitFor();
  await silences.page.goto("/alerts/silences/gone");
  await silences.page.getByRole("heading", { name: "This silence is not here" }).waitFor();
  server.failing.add("/silences");
  await silences.open();
  await silences.page.getByRole("alert").waitFor();
  server.failing.clear();
  await silences.page.getByRole("button", { name: "Try again" }).click();
  await silences.page.getByRole("heading", { name: "Nothing is silenced" }).waitFor();
});

test("a viewer sees them, and why they cannot be changed", async () => {
  server.role = "viewer";
  const silences = await openSilences();
  await silences.row("mq-1").waitFor();
  expect(await silences.page.getByRole("button", { name: "New silence" }).isDisabled()).toBe(true);
  expect(await silences.table.getByRole("button", { name: /^End/ }).isDisabled()).toBe(true);
  await silences.page.getByText("You are a viewer of default: editors and admins may do this.").waitFor();
});
