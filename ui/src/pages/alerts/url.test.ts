import { expect, test } from "vitest";
import {
  type AlertsView,
  decodeAlertsView,
  decodeAlertView,
  decodeSilenceView,
  encodeAlertsView,
  encodeAlertView,
  encodeSilenceView,
  plainView,
} from "./url";

test("the plain list has a plain address", () => {
  expect(encodeAlertsView(plainView)).toEqual({});
  expect(decodeAlertsView({})).toEqual(plainView);
});

test("there and back", () => {
  const view: AlertsView = {
    filter: 'host=~"db-.*"',
    states: ["firing", "resolved"],
    severities: ["critical", "none"],
    sort: "longest",
    zone: "local",
    refreshS: null,
  };
  expect(decodeAlertsView({ ...encodeAlertsView(view) })).toEqual(view);
  const alert = { range: { from: "now-3h", to: "now" }, zone: "utc" as const, refreshS: 60, every: true };
  expect(decodeAlertView({ ...encodeAlertView(alert) })).toEqual(alert);
  const silence = { filter: "{a=b}", zone: "local" as const };
  expect(decodeSilenceView({ ...encodeSilenceView(silence) })).toEqual(silence);
});

test("what is malformed becomes its default", () => {
  expect(
    decodeAlertsView({
      filter: ["a", "b"],
      state: "burning,firing",
      severity: "red",
      sort: "up",
      refresh: "-3",
    }),
  ).toEqual({ ...plainView, states: ["firing"] });
  expect(decodeAlertView({ from: "yesterday", to: "now", series: "some" })).toEqual({
    range: null,
    every: false,
    zone: "utc",
    refreshS: 15,
  });
});
