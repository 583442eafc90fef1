import { expect, test } from "vitest";
import type { Status } from "../../api/status";
import { healthOf } from "./health";
import { decodeOverviewView, encodeOverviewView } from "./url";

const nowMs = Date.parse("2026-11-25T10:00:00Z");
const well: Status = {
  version: "1",
  uptime_s: 60,
  ready: true,
  reasons: [],
  otlp: { http: "", grpc: "", token_required: false },
  logs: { records: 1, sent: 1, last_received_at: "2026-11-25T09:59:58Z", bytes_on_disk: 1, splits: 1 },
  agents: [
    { id: "a", last_seen: "2026-11-25T09:59:50Z" },
    { id: "b", last_seen: "2026-11-25T09:50:00Z" },
  ],
  damaged: [],
};

test("well, with one agent that went silent", () => {
  expect(healthOf(well, nowMs)).toEqual({ troubles: [], agents: 2, silent: 1, newestMs: 2000 });
});

test("what is wrong is said", () => {
  const damaged = [{ name: "a", reason: "b" }];
  expect(healthOf({ ...well, ready: false, reasons: ["the disk is full"], damaged }, nowMs).troubles).toEqual(
    ["the disk is full", "1 damaged file was set aside"],
  );
  expect(healthOf({ ...well, ready: false }, nowMs).troubles).toEqual(["the collector is not ready"]);
});

test("nothing arrived yet; a clock that is ahead is no negative age", () => {
  const logs = (last_received_at: string | null) => ({ ...well, logs: { ...well.logs, last_received_at } });
  expect(healthOf(logs(null), nowMs).newestMs).toBeNull();
  expect(healthOf(logs("2026-11-25T10:00:05Z"), nowMs).newestMs).toBe(0);
});

test("the overview refreshes by itself, unless its address says otherwise", () => {
  expect(decodeOverviewView({}).refreshS).toBe(30);
  expect(encodeOverviewView(decodeOverviewView({}))).toEqual({});
  const off = { ...decodeOverviewView({ from: "now-3h" }), refreshS: null };
  expect(encodeOverviewView(off)).toEqual({ from: "now-3h", to: "now", refresh: "off" });
  expect(decodeOverviewView({ refresh: "off" }).refreshS).toBeNull();
});
