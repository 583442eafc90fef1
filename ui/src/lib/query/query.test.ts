import { describe, expect, test } from "vitest";
import { addCondition, canName, fieldCondition } from "./edit";
import { lexQuery } from "./lex";
import { underlineOf, utf16Position } from "./position";
import { markRanges, termsOf } from "./terms";

function kinds(query: string): string {
  return lexQuery(query)
    .map((token) => `${query.slice(token.start, token.end)}/${token.kind}`)
    .join(" ");
}

describe("lex", () => {
  test.each([
    ["timeout", "timeout/text"],
    ["service:checkout", "service/field :/operator checkout/value"],
    ["severity>=error", "severity/field >=/operator error/value"],
    ["duration_ms>50", "duration_ms/field >/operator 50/number"],
    ['"conn refused" -x', '"conn refused"/string -/operator x/text'],
    [
      "service:(catalog OR checkout)",
      "service/field :/operator (/operator catalog/value OR/keyword checkout/value )/operator",
    ],
    ["a AND NOT b", "a/text AND/keyword NOT/keyword b/text"],
    ["code:[500 TO 599]", "code/field :/operator [/operator 500/number TO/keyword 599/number ]/operator"],
    ["* | top 10 service", "*/text |/keyword top/verb 10/number service/field"],
    [
      "x | stats count() by (service, bin(1m))",
      "x/text |/keyword stats/verb count/verb (/operator )/operator by/keyword (/operator service/field ,/operator bin/verb (/operator 1m/number )/operator )/operator",
    ],
    ['"open', '"open/string'],
    ["or by", "or/text by/text"],
    ["path:/a/b-c", "path/field :/operator /a/b-c/value"],
    ["co*nn 10.0.?.5", "co*nn/text 10.0.?.5/text"],
    ["'Exact Case' don't", "'Exact Case'/string don't/text"],
    ['body=~"a|b" x!~"c"', 'body/field =~/operator "a|b"/string x/field !~/operator "c"/string'],
    [
      'code:in(500, x, "c d") in',
      'code/field :/operator in/verb (/operator 500/number ,/operator x/value ,/operator "c d"/string )/operator in/text',
    ],
    ["x:* exists(a.b) z", "x/field :/operator */value exists/verb (/operator a.b/field )/operator z/text"],
    ["_exists_:a.b z exists", "_exists_/verb :/operator a.b/field z/text exists/text"],
    ["took>200ms size>=1.5MiB", "took/field >/operator 200ms/number size/field >=/operator 1.5MiB/number"],
    ["service:check*out?", "service/field :/operator check*out?/value"],
    [
      "* | fields a, b | sort by took desc, b | patterns",
      "*/text |/keyword fields/verb a/field ,/operator b/field |/keyword sort/verb by/keyword took/field desc/keyword ,/operator b/field |/keyword patterns/verb",
    ],
    [
      "* | stats p99.9(took), quantile(0.95, took) as q by service",
      "*/text |/keyword stats/verb p99.9/verb (/operator took/field )/operator ,/operator quantile/verb (/operator 0.95/number ,/operator took/field )/operator as/keyword q/field by/keyword service/field",
    ],
  ])("%s", (query, expected) => {
    expect(kinds(query)).toBe(expected);
  });

  test("every character that is no space belongs to exactly one token", () => {
    const query = 'a:"b c" (d! OR "é") {1 TO *} <>= || x=y -"q" 日本 | limit 3';
    const covered = lexQuery(query).reduce((text, token) => text + query.slice(token.start, token.end), "");
    expect(covered.replaceAll(" ", "")).toBe(query.replaceAll(" ", ""));
  });
});

describe("terms", () => {
  test.each([
    ["sku", ["sku"]],
    ['"slow query" conn*', ["slow query", "conn*"]],
    ["a NOT b -c service:d", ["a"]],
    ["x | top 10 service", ["x"]],
    ["*", []],
    ['path:"/a" 404', ["404"]],
    ['x=~"a" exists(y) b', ["b"]],
    ["z:in(a, b) 'Exact'", ["Exact"]],
    ["co*nn", ["co*nn"]],
  ])("of %s", (query, expected) => {
    expect(termsOf(query).map((term) => term.text)).toEqual(expected);
  });

  function marked(text: string, query: string): string {
    let result = "";
    let at = 0;
    for (const { start, end } of markRanges(text, termsOf(query))) {
      result += `${text.slice(at, start)}[${text.slice(start, end)}]`;
      at = end;
    }
    return result + text.slice(at);
  }

  test.each([
    ["WHERE sku = $1, skus", "sku", "WHERE [sku] = $1, skus"],
    ["11 skus", "sku*", "11 [sku]s"],
    ["Connection refused", "connection", "[Connection] refused"],
    ["my_sku sku-1", "sku", "my_sku [sku]-1"],
    ["a slow query b", '"slow query" slow', "a [slow query] b"],
    ["İstanbul sku", "sku", "İstanbul [sku]"],
    ["überall über", "über", "überall [über]"],
    ["connect to corn and con", "co*n", "connect to [corn] and [con]"],
    ["10.0.3.5 10.0.34.5", "10.0.?.5", "[10.0.3.5] 10.0.34.5"],
    ["Disk disk", "'Disk'", "[Disk] disk"],
    ["a (b) c", "'(b)'", "a [(b)] c"],
    ["x a-b/c.d y", "a-b/c.d", "x [a-b/c.d] y"],
    ["abcde", "a*b*c*d*e", "abcde"],
  ])("marks in %s", (text, query, expected) => {
    expect(marked(text, query)).toBe(expected);
  });
});

describe("edit", () => {
  test.each<[string, string, boolean, string]>([
    ["", "service:checkout", false, "service:checkout"],
    ["*", "service:checkout", true, "-service:checkout"],
    ["timeout", "host:app-1", false, "timeout host:app-1"],
    ["a OR b", "host:app-1", true, "(a OR b) -host:app-1"],
    ["service:(a OR b)", "x:1", false, "service:(a OR b) x:1"],
    ["a | top 10 service", "x:1", false, "a x:1 | top 10 service"],
    ["* | top 10 service", "x:1", false, "x:1 | top 10 service"],
    ["a x:1 b", "x:1", false, "a x:1 b"],
    ['"a | b"', "x:1", false, '"a | b" x:1'],
  ])("%s + %s (exclude %s)", (query, condition, exclude, expected) => {
    expect(addCondition(query, condition, exclude)).toBe(expected);
  });

  test.each<[string, string | number | boolean, string]>([
    ["service", "checkout", "service:checkout"],
    ["http.route", "/a b", 'http.route:"/a b"'],
    ["x", 'say "hi" \\', 'x:"say \\"hi\\" \\\\"'],
    ["code", 504, "code:504"],
    ["delta", -3, 'delta:"-3"'],
    ["ok", true, "ok:true"],
    ["word", "OR", 'word:"OR"'],
    ["n", "504", 'n:"504"'],
  ])("condition %s = %s", (field, value, expected) => {
    expect(fieldCondition(field, value)).toBe(expected);
  });

  test("fields that the language cannot name", () => {
    expect(canName("http.status_code")).toBe(true);
    expect(canName("two words")).toBe(false);
    expect(canName("a:b")).toBe(false);
  });
});

describe("position", () => {
  test("characters outside the basic plane count once for the server and twice here", () => {
    expect(utf16Position("🙂 bad", { start: 2, end: 5 })).toEqual({ start: 3, end: 6 });
  });

  test("an error at the end is drawn behind the last character", () => {
    expect(underlineOf("a AND", { start: 5, end: 5 })).toEqual({ start: 5, end: 6 });
    expect(underlineOf("abc", { start: 1, end: 1 })).toEqual({ start: 1, end: 2 });
    expect(underlineOf("abc", { start: 9, end: 12 })).toEqual({ start: 3, end: 4 });
  });
});
