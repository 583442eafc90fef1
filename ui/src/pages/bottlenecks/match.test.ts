import { describe, expect, test } from "vitest";
import { matchAlert, matchService, matchTrace, paintedBy, roleOf, verdictIdOf } from "./match";
import { culpritOf, hopOf, onsetS, storedOf, verdictOf } from "./sample";

const first = storedOf(verdictOf({ contributors: [culpritOf("cache")] }), { id: "v_1", alerts: ["f1"] });
const vague = storedOf(
  verdictOf({
    state: "not_localised",
    culprit: null,
    contributors: [culpritOf("redis")],
    symptom: { ...verdictOf().symptom, service: "search" },
    path: [],
  }),
  { id: "v_2" },
);

describe("services", () => {
  test.each([
    ["db", "bottleneck"],
    ["cache", "contributes"],
    ["edge", "symptom"],
    ["shop", "path"],
    ["nobody", null],
  ])("%s", (service, role) => {
    expect(roleOf(first.verdict, service)).toBe(role);
  });

  test("both ends of an edge are it", () => {
    const verdict = verdictOf({ culprit: culpritOf("shop", { type: "edge", peer: "db" }) });
    expect([roleOf(verdict, "shop"), roleOf(verdict, "db")]).toEqual(["bottleneck", "bottleneck"]);
  });

  test("without a culprit those named are candidates", () => {
    expect(matchService([first, vague], "redis")).toEqual({ stored: vague, role: "candidate" });
  });

  test("the nearest role wins over the order", () => {
    const other = storedOf(verdictOf({ culprit: culpritOf("shop") }), { id: "v_3" });
    expect(matchService([first, other], "shop")).toEqual({ stored: other, role: "bottleneck" });
    expect(matchService([first, other], "nobody")).toBeNull();
  });
});

describe("alerts", () => {
  const alert = { fingerprint: "f9", labels: {}, annotations: {} as Record<string, string> };
  test.each([
    ["by the id that it carries", { ...alert, annotations: { verdict_id: "v_2" } }, null, "v_2"],
    ["by its fingerprint", { ...alert, fingerprint: "f1" }, null, "v_1"],
    ["by its service", alert, "search", "v_2"],
    ["by nothing", alert, null, undefined],
    ["an unknown id falls back", { ...alert, annotations: { verdict_id: "v_0" } }, "db", "v_1"],
  ])("%s", (_, one, service, id) => {
    expect(matchAlert([first, vague], one, service)?.id).toBe(id);
  });
  test("an empty id is none", () => {
    expect(verdictIdOf({ ...alert, annotations: { verdict_id: "" } })).toBeNull();
  });
});

describe("traces", () => {
  const at = (s: number) => (onsetS + s) * 1000;
  test.each([
    ["through the culprit's caller, in its time", ["edge", "shop"], 60, 61, "v_1"],
    ["through the culprit itself", ["edge", "shop", "db"], 60, 61, "v_1"],
    ["within the uncertainty of the onset", ["edge", "shop"], -9, -8, "v_1"],
    ["before it", ["edge", "shop"], -60, -59, undefined],
    ["of another entry", ["shop"], 60, 61, undefined],
    ["that did not come to the culprit's caller", ["edge"], 60, 61, undefined],
    ["of one that is not localised", ["search"], 60, 61, "v_2"],
  ])("%s", (_, services, from, to, id) => {
    expect(matchTrace([first, vague], services, at(from), at(to))?.id).toBe(id);
  });
  test("a verdict that is over is about its own time only", () => {
    const over = { ...first, closed_s: onsetS + 600 };
    expect(matchTrace([over], ["edge", "shop"], at(60), at(61))).toBe(over);
    expect(matchTrace([over], ["edge", "shop"], at(900), at(901))).toBeNull();
  });
});

test("the map is painted along the path, over hops that no map has", () => {
  const path = [
    hopOf("edge", 100, 95),
    hopOf("egress", 95, 95, { is_blind: true }),
    hopOf("db", 95, 0, { keeps_self: 95 }),
  ];
  const { edges, culprits } = paintedBy([storedOf(verdictOf({ path })), vague]);
  expect([...edges]).toEqual([["edge db", "+95\u00a0ms"]]);
  expect([...culprits]).toEqual(["db"]);
});
