import { describe, expect, test } from "vitest";
import type { Alert } from "../../api/alerts";
import type { Points } from "../../api/prometheus";
import { conditionsOf, rangeOf, ruleSearch, silenceSearch } from "./links";
import { ofAlert } from "./series";

const nowMs = Date.parse("2026-11-25T10:00:00Z");
const ago = (minutes: number) => new Date(nowMs - minutes * 60_000).toISOString();

function alert(change: Partial<Alert>): Alert {
  return { state: "firing", starts_at: ago(10), ends_at: null, rule: null, labels: {}, ...change } as Alert;
}

describe("rangeOf", () => {
  test.each([
    [10, "now-1h"],
    [60, "now-3h"],
    [60 * 5, "now-12h"],
    [60 * 24 * 5, "now-7d"],
    [60 * 24 * 90, "now-30d"],
  ])("open for %i min: %s", (minutes, from) => {
    expect(rangeOf(alert({ starts_at: ago(minutes) }), nowMs)).toEqual({ from, to: "now" });
  });
  test("one that ended is shown with what was around it, and not beyond now", () => {
    const ended = alert({ state: "resolved", starts_at: ago(120), ends_at: ago(90) });
    expect(rangeOf(ended, nowMs)).toEqual({ from: ago(150), to: ago(75) });
    const late = alert({ state: "resolved", starts_at: ago(30), ends_at: ago(2) });
    expect(rangeOf(late, nowMs).to).toBe(ago(0));
  });
});

test("searches are of what the labels name", () => {
  expect(conditionsOf({ service: "shop", host_name: "db-1" })).toEqual(["service:shop", "host:db-1"]);
  expect(conditionsOf({ instance: "10.0.0.7:9100" })).toEqual(['host:"10.0.0.7"']);
  expect(conditionsOf({ severity: "info" })).toEqual([]);
});

test("the silence of one alert has all its labels, the link to its rule group and name", () => {
  expect(silenceSearch({ host: "db-1", alertname: "Down" }).filter).toBe('{alertname="Down", host="db-1"}');
  const rule = { group: "hosts", name: "Down" } as Alert["rule"];
  expect(ruleSearch(alert({ rule })).rule).toBe("hosts/Down");
});

test("an alert's own series; all of them where none is", () => {
  const series = ["db-1", "db-2"].map(
    (host): Points => ({
      labels: { __name__: "load", host, cpu: "0" },
      times: [],
      values: [],
      histograms: false,
    }),
  );
  const own = (labels: Record<string, string>) =>
    ofAlert(series, { labels }).map(({ labels: { host } }) => host);
  expect(own({ alertname: "Down", host: "db-2", severity: "info" })).toEqual(["db-2"]);
  expect(own({ alertname: "Down" })).toEqual(["db-1", "db-2"]);
  expect(own({ host: "renamed" })).toEqual(["db-1", "db-2"]);
});
