import { describe, expect, test } from "vitest";
import { conjunctsOf } from "./conjuncts";
import {
  addCondition,
  asksForMissing,
  choiceOf,
  chosenFields,
  filterBeside,
  filterOnly,
  toggleExcluded,
  toggleIncluded,
  toggleMissing,
  withoutField,
} from "./edit";

/** The parts as text; a condition as "field=[values]", negated with a minus. */
function parts(filter: string): string[] {
  return conjunctsOf(filter).map(({ start, end, condition }) => {
    if (!condition) return filter.slice(start, end);
    const values = condition.values.map(({ text }) => text).join("; ");
    return `${condition.negated ? "-" : ""}${condition.field}=[${values}]`;
  });
}

describe("parts of a filter", () => {
  test.each<[string, string[]]>([
    ["", []],
    ["a b", ["a", "b"]],
    ["service:checkout sku", ["service=[checkout]", "sku"]],
    ["service:(a OR b) -host:c", ["service=[a; b]", "-host=[c]"]],
    ['service:in(a, b, "c d") x', ["service=[a; b; c d]", "x"]],
    ["NOT service:a AND b", ["-service=[a]", "b"]],
    ["service!=a -service!=b", ["-service=[a]", "service=[b]"]],
    ["status >= 500 x", ["status >= 500", "x"]],
    ["status = 500 x", ["status = 500", "x"]],
    ["status:[500 TO 599] x", ["status:[500 TO 599]", "x"]],
    ["(a OR b) service:c", ["(a OR b)", "service=[c]"]],
    ["service:a OR service:b", ["service:a OR service:b"]],
    ["service:a* host:?", ["service:a*", "host:?"]],
    ["service:(a OR b*)", ["service:(a OR b*)"]],
    ["service:(a AND b)", ["service:(a AND b)"]],
    ['path:"/a b" "my key":5', ["path=[/a b]", "my key=[5]"]],
    ["x:10:17:39 10.0.0.5:5432", ["x=[10:17:39]", "10.0.0.5:5432"]],
    ["body:refused body=~\"a|b\" path=~'x y'", ["body:refused", 'body=~"a|b"', "path=~'x y'"]],
    ["'Exact OR case' level:warn", ["'Exact OR case'", "severity=[warn]"]],
    ["http://shop/cart core::panicking", ["http://shop/cart", "core::panicking"]],
    ["-(a OR b)", ["-(a OR b)"]],
    ["service:(a OR", ["service:(a OR"]],
  ])("%s", (filter, expected) => {
    expect(parts(filter)).toEqual(expected);
  });
});

describe("a facet's value", () => {
  test.each<[string, string, string]>([
    ["", "checkout", "service:checkout"],
    ["*", "checkout", "service:checkout"],
    ["sku", "my shop", 'sku service:"my shop"'],
    ["service:cart sku", "checkout", "service:(cart OR checkout) sku"],
    ["service:(cart OR pay) sku", "checkout", "service:(cart OR pay OR checkout) sku"],
    ["service:in(cart, pay)", "checkout", "service:(cart OR pay OR checkout)"],
    ["-service:checkout sku", "checkout", "sku service:checkout"],
    ["-service:(checkout OR cart) sku", "checkout", "-service:cart sku service:checkout"],
    ["a OR b", "checkout", "(a OR b) service:checkout"],
    ["service:cart OR b", "checkout", "(service:cart OR b) service:checkout"],
    ["sku | top 10 host", "checkout", "sku service:checkout | top 10 host"],
    ["* | top 10 host", "checkout", "service:checkout | top 10 host"],
    ['"a | b" | limit 5', "checkout", '"a | b" service:checkout | limit 5'],
    ["service:check* x", "checkout", "service:check* x service:checkout"],
    // A second click takes it back.
    ["service:checkout", "checkout", ""],
    ["service:checkout | top 10 host", "checkout", "* | top 10 host"],
    ["service:(cart OR checkout) sku", "checkout", "service:cart sku"],
    ["sku AND service:checkout AND x", "checkout", "sku AND x"],
    ["service:checkout AND x", "checkout", "x"],
    ["tag:a service:checkout", "checkout", "tag:a"],
    ['service:"checkout" x', "checkout", "x"],
  ])("%s, include %s", (query, value, expected) => {
    expect(toggleIncluded(query, "service", value)).toBe(expected);
  });

  test.each<[string, string]>([
    ["", "-service:checkout"],
    ["service:checkout sku", "sku -service:checkout"],
    ["service:(cart OR checkout)", "service:cart -service:checkout"],
    ["a OR b | limit 5", "(a OR b) -service:checkout | limit 5"],
    ["-service:checkout sku", "sku"],
    ["sku NOT service:checkout", "sku"],
    ["service!=checkout sku", "sku"],
    ["-service:(cart OR checkout)", "-service:cart"],
    ["-service:cart", "-service:cart -service:checkout"],
  ])("%s, exclude checkout", (query, expected) => {
    expect(toggleExcluded(query, "service", "checkout")).toBe(expected);
  });

  test("numbers and text", () => {
    expect(toggleIncluded("code:200", "code", 504)).toBe("code:(200 OR 504)");
    expect(toggleIncluded("code:200", "code", "504")).toBe('code:(200 OR "504")');
    expect(toggleIncluded('code:(200 OR "504")', "code", 504)).toBe("code:200");
    expect(toggleIncluded("", "my key", -3)).toBe('"my key":"-3"');
    expect(toggleIncluded('"my key":"-3"', "my key", -3)).toBe("");
  });

  test("what a query says about a field", () => {
    const query = 'service:(a OR "b c") -service:d service:e* (service:f OR x) | top 5 service';
    expect(choiceOf(query, "service")).toEqual({ included: ["a", "b c"], excluded: ["d"] });
    expect(withoutField(query, "service")).toBe("service:e* (service:f OR x) | top 5 service");
    expect(filterOnly("service:a | top 5 b")).toBe("service:a");
    expect(filterOnly("| top 5 b")).toBe("*");
  });
});

test("records without the field", () => {
  const query = "sku service:a | limit 5";
  const asked = toggleMissing(query, "host");
  expect(asked).toBe("sku service:a -host:* | limit 5");
  expect(asksForMissing(asked, "host")).toBe(true);
  expect(asksForMissing(query, "host")).toBe(false);
  expect(toggleMissing(asked, "host")).toBe(query);
  expect(chosenFields(`${asked.replace("sku", "level:warn sku")}`)).toEqual(["severity", "service", "host"]);
  expect(filterBeside(asked, "host")).toBe("sku service:a");
  expect(filterBeside("service:(a OR b) | limit 5", "service")).toBe("*");
});

test.each<[string, string, boolean, string]>([
  ["-service:checkout sku", "service:checkout", false, "sku service:checkout"],
  ["service:checkout sku", "service:checkout", true, "sku -service:checkout"],
  ["service:(a OR checkout)", "service:checkout", true, "service:a -service:checkout"],
  ["service:(a OR checkout)", "service:checkout", false, "service:(a OR checkout) service:checkout"],
  ["a:1 OR x:1", "x:1", true, "(a:1 OR x:1) -x:1"],
  ["x:1 OR b", "x:1", false, "(x:1 OR b) x:1"],
  ["-x:1", "x:1", true, "-x:1"],
])("%s and the condition %s (exclude %s)", (query, condition, exclude, expected) => {
  expect(addCondition(query, condition, exclude)).toBe(expected);
});
