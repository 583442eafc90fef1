import { describe, expect, test } from "vitest";
import {
  formatMatcher,
  formatMatchers,
  type Matcher,
  matchersOf,
  matchesAll,
  parseMatchers,
} from "./matchers";

const m = (name: string, op: Matcher["op"], value: string): Matcher => ({ name, op, value });

describe("parseMatchers", () => {
  const good: [text: string, matchers: Matcher[]][] = [
    ["", []],
    ["  ", []],
    ["{}", []],
    ["{ }", []],
    ["a=b", [m("a", "=", "b")]],
    ["{a=b}", [m("a", "=", "b")]],
    [' { a = "b" , c!="d", } ', [m("a", "=", "b"), m("c", "!=", "d")]],
    ['a=~"b|c",d!~"e.*"', [m("a", "=~", "b|c"), m("d", "!~", "e.*")]],
    ['a=""', [m("a", "=", "")]],
    ["a=", [m("a", "=", "")]],
    ["a=,b=c", [m("a", "=", ""), m("b", "=", "c")]],
    ['a="say \\"yes\\"\\n"', [m("a", "=", 'say "yes"\n')]],
    ['a=~"\\d+\\.\\d"', [m("a", "=~", "\\d+\\.\\d")]],
    ['a="b,c}"', [m("a", "=", "b,c}")]],
    ['"ünï.code"="ß"', [m("ünï.code", "=", "ß")]],
    ["service.name=shop", [m("service.name", "=", "shop")]],
    ["path=/var/lib", [m("path", "=", "/var/lib")]],
  ];
  test.each(good)("%s", (text, matchers) => {
    expect(parseMatchers(text)).toEqual({ matchers, fault: null });
  });

  const bad: [text: string, underlined: string, message: RegExp][] = [
    ["a", "a", /operator is missing: write a="…"/],
    ["a=b, host", "host", /After host an operator/],
    ["{a=b, host}", "host", /After host an operator/],
    ["a, b=c", "a", /After a an operator/],
    ["a b", "b", /After a an operator/],
    ["a=b c=d", "c=d", /stands a comma/],
    ['{a="b"', "{", /not closed/],
    ['a="b"}', "}", /no \{/],
    ['a="b', '"b', /quote is not closed/],
    ["=b", "=", /a label's name/],
    ['a=~"("', '"("', /\( is no regular expression/],
    ["a='b'", "'", /a value; odd characters/],
    ["{a=b}, c=d", ", c=d", /stands a comma/],
  ];
  test.each(bad)("%s is refused in its place", (text, underlined, message) => {
    const { fault } = parseMatchers(text);
    expect(fault?.message).toMatch(message);
    expect(text.slice(fault?.start, fault?.end)).toBe(underlined);
  });

  test("what stands before a fault is kept", () => {
    expect(parseMatchers('a="b", c').matchers).toEqual([m("a", "=", "b")]);
  });

  test("what is written is read again as the same", () => {
    const values = [
      "",
      "plain",
      'q"uote',
      "back\\slash",
      "\\d",
      "new\nline",
      "tab\t",
      "{brace}",
      "a,b",
      "ünï",
    ];
    for (const op of ["=", "!="] as const)
      for (const value of values) {
        const matchers = [m("a", op, value), m("odd name", op, value)];
        expect(parseMatchers(formatMatchers(matchers))).toEqual({ matchers, fault: null });
      }
  });
});

test("odd names are quoted", () => {
  expect(formatMatcher(m("service.name", "=~", "a|b"))).toBe('"service.name"=~"a|b"');
});

test("all labels as matchers, the alert's name first", () => {
  expect(formatMatchers(matchersOf({ zone: "eu", alertname: "Down", app: "shop" }))).toBe(
    '{alertname="Down", app="shop", zone="eu"}',
  );
});

describe("matchesAll", () => {
  const labels = { alertname: "Down", host: "db-1" };
  const cases: [filter: string, matched: boolean][] = [
    ["", true],
    ["host=db-1", true],
    ["host=db", false],
    ['host=~"db"', false],
    ['host=~"db.*"', true],
    ['host=~"(?i)DB-1"', true],
    ['host!~"db.*"', false],
    ['host!="db-2", alertname="Down"', true],
    ['missing=""', true],
    ['missing!=""', false],
    ['missing=~".*"', true],
    ['missing=~".+"', false],
    ['host=~"db-1|"', true],
    ['host=~"a|db-1"', true],
  ];
  test.each(cases)("%s", (filter, matched) => {
    expect(matchesAll(parseMatchers(filter).matchers, labels)).toBe(matched);
  });
});
