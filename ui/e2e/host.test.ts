// From /proc to a dashboard: what the agent reads of this host is what the collector answers and Chromium draws.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { beforeAll, expect, test, vi } from "vitest";
import { promql } from "./environment";
import { DashboardPage } from "./pages/DashboardPage";
import { HostsPage } from "./pages/HostsPage";
import { check, signedIn, withBrowser } from "./session";

const patience = { timeout: 60_000, interval: 500 };

/** What /proc/stat has said, twice a second. */
const looks: { atS: number; busy: number; all: number }[] = [];

withBrowser();
beforeAll(async () => {
  const timer = setInterval(look, 500);
  timer.unref();
  look();
  await vi.waitUntil(async () => (await cpuSamples()).length >= 4, { ...patience, timeout: 90_000 });
}, 120_000);

function look(): void {
  const line = readFileSync("/proc/stat", "utf8").split("\n", 1)[0] ?? "";
  // user nice system idle iowait irq softirq steal; guest is within user.
  const ticks = line.split(/\s+/).slice(1, 9).map(Number);
  const all = ticks.reduce((sum, one) => sum + one, 0);
  looks.push({ atS: Date.now() / 1000, busy: all - (ticks[3] ?? 0), all });
}

/** /proc/stat between two times, read off between the looks around each. */
function busyByProc(fromS: number, toS: number): number {
  const at = (timeS: number) => {
    const after = looks.findIndex((one) => one.atS >= timeS);
    const [a, b] = [looks[after - 1], looks[after]];
    if (!a || !b) throw new Error(`no look at /proc/stat around ${timeS}`);
    const share = (timeS - a.atS) / (b.atS - a.atS);
    return { busy: a.busy + share * (b.busy - a.busy), all: a.all + share * (b.all - a.all) };
  };
  const [from, to] = [at(fromS), at(toS)];
  return (100 * (to.busy - from.busy)) / (to.all - from.all);
}

/** The agent's CPU seconds over all cores and modes: when, not idle, all. */
async function cpuSamples(): Promise<{ atS: number; busy: number; all: number }[]> {
  const series = await promql("system_cpu_time_seconds_total[2m]");
  const byTime = new Map<number, { atS: number; busy: number; all: number }>();
  for (const { metric, values = [] } of series)
    for (const [atS, text] of values) {
      const sum = byTime.get(atS) ?? { atS, busy: 0, all: 0 };
      sum.all += Number(text);
      if (metric.cpu_mode !== "idle") sum.busy += Number(text);
      byTime.set(atS, sum);
    }
  return [...byTime.values()].sort((a, b) => a.atS - b.atS);
}

test("two values of CPU, each over 10 s and 20 s apart, are those of /proc/stat", async () => {
  const begunS = looks[0]?.atS ?? 0;
  const within = async () => (await cpuSamples()).filter(({ atS }) => atS > begunS + 1);
  await vi.waitUntil(async () => (await within()).length >= 4, patience);
  look();
  const samples = await within();
  for (const [from, to] of [
    [samples[0], samples[1]],
    [samples[2], samples[3]],
  ]) {
    if (!from || !to) throw new Error("too few samples");
    const answered = (100 * (to.busy - from.busy)) / (to.all - from.all);
    const read = busyByProc(from.atS, to.atS);
    console.log(`CPU busy: ${answered.toFixed(1)} % by PromQL, ${read.toFixed(1)} % by /proc/stat`);
    expect(Math.abs(answered - read)).toBeLessThan(5);
  }
  expect((samples[2]?.atS ?? 0) - (samples[0]?.atS ?? 0)).toBeGreaterThanOrEqual(15);
}, 120_000);

test("load on this host is seen, as processes that run and as pressure", async () => {
  const pressure = 'sum(rate(narrows_host_pressure_stalled_seconds_total{resource="cpu",kind="some"}[30s]))';
  const running = 'sum(system_process_count{process_state="running"})';
  const number = async (query: string) => Number((await promql(query))[0]?.value?.[1] ?? Number.NaN);
  await vi.waitUntil(async () => !Number.isNaN(await number(pressure)), patience);
  const before = await number(pressure);
  const load = spawn("../scripts/demo-load.sh", ["45"], { stdio: "ignore" });
  const ended = new Promise((done) => load.on("exit", done));
  // Four loops for each core, all of which want to run; pressure cannot rise where all waits already.
  const loops = 4 * cpus().length;
  const enough = Math.min(before + 0.3, 0.8);
  const isSeen = async () => (await number(running)) >= loops && (await number(pressure)) >= enough;
  await vi.waitUntil(isSeen, { timeout: 60_000, interval: 1000 });
  const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
  console.log(`CPU pressure: ${percent(before)} before, ${percent(await number(pressure))} with load`);
  await ended;
}, 120_000);

test.for(["dark", "light"] as const)("the Host dashboard draws, %s", async (scheme) => {
  const { page } = await signedIn("/d/host?from=now-15m&to=now", { scheme });
  const dashboard = new DashboardPage(page);
  for (const title of ["CPU by mode", "Pressure", "Load", "Memory by state"])
    await dashboard.chart(title).waitFor({ timeout: 20_000 });
  for (const title of ["CPU busy", "Memory used"])
    await expect.poll(() => dashboard.panel(title).innerText(), { timeout: 20_000 }).toMatch(/\d/);
  await check(page, `e2e-dashboard-host-${scheme}`);
});

test.for(["dark", "light"] as const)("the host is in the list and has its page, %s", async (scheme) => {
  const { page } = await signedIn("/hosts", { scheme });
  const hosts = new HostsPage(page);
  await expect.poll(() => hosts.names(), { timeout: 20_000 }).toHaveLength(1);
  const [name = ""] = await hosts.names();
  await check(page, `e2e-hosts-${scheme}`);
  await hosts.openHost(name);
  await expect.poll(() => hosts.panel("CPU by mode").innerText(), { timeout: 20_000 }).toMatch(/user/);
  await check(page, `e2e-host-${scheme}`);
});
