import { expect, test } from "vitest";
import type { Alert } from "../../api/alerts";
import type { Change } from "../../api/changes";
import type { HistogramAnswer } from "../../api/logs";
import { describeMarkers, markersAt, markersOf } from "./markers";

const startMs = Date.parse("2026-11-25T10:00:00Z");
const span = { startMs, endMs: startMs + 600_000 };
const at = (minute: number) => new Date(startMs + minute * 60_000).toISOString();

const change = (minute: number, service: string | null, text = "2.30 to 2.31"): Change => ({
  at: at(minute),
  service,
  host: service ? null : "db-1",
  kind: "deploy",
  text,
});
const alert = (minute: number, labels: Record<string, string>, state = "firing") =>
  ({ name: "ServiceErrors", labels, state, starts_at: at(minute) }) as Alert;
const texts = (query: string, changes: Change[], alerts: Alert[]) =>
  markersOf(changes, alerts, query, span).map(({ text }) => text);

test("by time, and only those of the range; an alert that is pending has not fired", () => {
  const changes = [change(-1, "early"), change(7, "catalog"), change(2, null), change(10, "late")];
  const alerts = [
    alert(5, { service: "checkout" }),
    alert(6, { host_name: "db-1" }, "resolved"),
    alert(3, {}, "pending"),
  ];
  expect(texts("", changes, alerts)).toEqual([
    "db-1: deploy, 2.30 to 2.31",
    "ServiceErrors of checkout fires",
    "ServiceErrors of db-1 fires",
    "catalog: deploy, 2.30 to 2.31",
  ]);
});

test.each([
  ["service:catalog error", ["catalog: deploy, x", "db-1: deploy, x"]],
  ["-service:catalog", ["db-1: deploy, x", "ServiceErrors of checkout fires"]],
  [
    "service:(catalog OR checkout)",
    ["catalog: deploy, x", "db-1: deploy, x", "ServiceErrors of checkout fires"],
  ],
])("of %s", (query, wanted) => {
  const changes = [change(1, "catalog", "x"), change(2, null, "x")];
  expect(texts(query, changes, [alert(3, { service: "checkout" })])).toEqual(wanted);
});

test.each([
  ["the last change before an alert", [change(1, "a"), change(2, "b"), change(8, "c")], [alert(5, {})], 2],
  ["the latest change", [change(1, "a"), change(8, "c")], [], 8],
  ["a change after the alert", [change(8, "c")], [alert(5, {})], 8],
  ["the first alert", [], [alert(5, {}), alert(6, {})], 5],
])("%s has its words on the chart", (_, changes, alerts, minute) => {
  const important = markersOf(changes, alerts, "", span).filter((marker) => marker.important);
  expect(important.map(({ ms }) => (ms - startMs) / 60_000)).toEqual([minute]);
});

test("the bucket it is in, and a sentence for who does not see it", () => {
  const answer = { start: at(0), bucket_ms: 60_000, buckets: 10 } as HistogramAnswer;
  const markers = markersOf([change(2, "a"), change(2.99, "b")], [], "", span);
  expect([1, 2, 3].map((bucket) => markersAt(markers, answer, bucket).length)).toEqual([0, 2, 0]);
  expect(describeMarkers(markers.slice(0, 1), "utc")).toBe(" Happened: 10:02:00 a: deploy, 2.30 to 2.31.");
  const many = Array.from({ length: 7 }, (_, minute) => change(minute, "a"));
  expect(describeMarkers(markersOf(many, [], "", span), "utc")).toContain("; and 2 more.");
  expect(describeMarkers([], "utc")).toBe("");
});
