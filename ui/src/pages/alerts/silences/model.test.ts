import { expect, test } from "vitest";
import type { AmAlert, Silence } from "../../../api/alertmanager";
import { countStates, expiryText, listOf, shownOf, stateAt, whenText } from "./model";

const nowMs = Date.UTC(2026, 10, 25, 10, 0, 0);
const minute = 60_000;
const iso = (minutes: number) => new Date(nowMs + minutes * minute).toISOString();

function silence(id: string, from: number, to: number, more: Partial<Silence> = {}): Silence {
  return {
    id,
    matchers: [{ name: "host", value: "db-.*", isRegex: true, isEqual: true }],
    startsAt: iso(from),
    endsAt: iso(to),
    updatedAt: iso(from),
    createdBy: "admin",
    comment: "moving the disks",
    status: { state: "active" },
    ...more,
  };
}

function alert(host: string, silencedBy: string[] = []): AmAlert {
  return {
    fingerprint: host,
    labels: { alertname: "Full", host },
    annotations: {},
    startsAt: iso(-5),
    status: { state: silencedBy.length > 0 ? "suppressed" : "active", silencedBy, inhibitedBy: [] },
  };
}

const silences = [
  silence("old", -600, -300),
  silence("older", -900, -600, { createdBy: "night shift" }),
  silence("soon", 10, 130),
  silence("late", -10, 90),
  silence("first", -30, 20, { comment: "restart" }),
];
const alerts = [alert("db-1", ["first"]), alert("db-2", ["first", "late"]), alert("app-1")];
const list = listOf(silences, alerts, nowMs);
const ids = (view: Parameters<typeof shownOf>[1]) => shownOf(list, view).map(({ silence: { id } }) => id);

test("an active one counts what the server says it silences, one to come what it would match", () => {
  expect(list.map(({ silence: { id }, state, matched }) => [id, state, matched])).toEqual([
    ["old", "expired", null],
    ["older", "expired", null],
    ["soon", "pending", 2],
    ["late", "active", 1],
    ["first", "active", 2],
  ]);
  expect(list[0]?.filter).toBe('{host=~"db-.*"}');
  expect(listOf(silences, null, nowMs).map(({ matched }) => matched)).toEqual([null, null, null, null, null]);
});

test.each([
  [{ state: null, filter: "" }, ["first", "late", "soon"]],
  [{ state: "expired", filter: "" }, ["old", "older"]],
  [{ state: "active", filter: "RESTART" }, ["first"]],
  [{ state: null, filter: "db- moving" }, ["late", "soon"]],
  [{ state: "expired", filter: "night" }, ["older"]],
] as const)("%o", (view, expected) => {
  expect(ids(view)).toEqual(expected);
});

test("the state is that of this moment, whatever was said before", () => {
  const one = silence("a", -10, 10);
  expect([-11, -10, 9, 10].map((minutes) => stateAt(one, nowMs + minutes * minute))).toEqual([
    "pending",
    "active",
    "active",
    "expired",
  ]);
  expect(countStates(list)).toEqual({ active: 2, pending: 1, expired: 2 });
});

test("when, in words", () => {
  const words = list.map(({ silence: one, state }) => whenText(one, state, nowMs).replaceAll("\u00a0", " "));
  expect(words).toEqual([
    "ended 5 h ago",
    "ended 10 h ago",
    "begins in 10 min, for 2 h",
    "ends in 1 h 30 min",
    "ends in 20 min",
  ]);
});

test("what ending it means", () => {
  const of = (id: string) => list.find(({ silence: one }) => one.id === id);
  expect(of("first") && expiryText(of("first") as never)).toMatch(/told again of 2 alerts/);
  expect(of("soon") && expiryText(of("soon") as never)).toMatch(/will not begin/);
  expect(expiryText({ ...(list[3] as never as object), state: "active", matched: 0 } as never)).toMatch(
    /^No open/,
  );
});
