import { describe, expect, test } from "vitest";
import { checkImport } from "../../pages/dashboards/import";
import { readMarkdown, safeLink } from "./markdown";
import { checkJson, extentAt, lineOf, replacedAt } from "./text";

const text = '{ "a": [1.50, {"b\\"": "x]}"}],\n  "n": 12345678901234567890, "e": {} }';

describe("edits to the letter", () => {
  test.each<[(string | number)[], string]>([
    [["a", 0], "1.50"],
    [["a", 1, 'b"'], '"x]}"'],
    [["n"], "12345678901234567890"],
    [[], text],
  ])("%j is %s", (path, expected) => {
    const extent = extentAt(text, path);
    expect(extent && text.slice(extent.start, extent.end)).toBe(expected);
  });
  test("nothing else changes", () => {
    expect(replacedAt(text, ["a", 1, 'b"'], 7)).toBe(text.replace('"x]}"', "7"));
    expect(replacedAt(text, ["e", "new"], "v")).toBe(text.replace("{} }", '{"new": "v"} }'));
    expect(JSON.parse(replacedAt(text, ["title"], "t"))).toMatchObject({ title: "t", e: {} });
    expect(() => replacedAt(text, ["no", "such"], 1)).toThrow("there is no no.such");
  });
  test("of a name that stands twice the later one counts", () => {
    expect(replacedAt('{"a":1,"a":2}', ["a"], 3)).toBe('{"a":1,"a":3}');
  });
});

test.each([
  ['{"a": }', "“}” is no value of JSON"],
  ['{"a" 1}', "“:” is missing"],
  ["{1: 2}", "a name in quotes is missing"],
  ["[1,]", "“]” is no value of JSON"],
  ['{"a": [1, 2}', "“,” or “]” is missing"],
  ['{"a": tru}', "“tru” is no value"],
  ['{"a": "b', "a text is not closed"],
  ["{} x", "behind the end"],
  ["", "ends too early"],
])("%s: %s", (bad, message) => {
  expect(checkJson(bad)?.message).toContain(message);
});

test("good JSON, and deep JSON without end", () => {
  expect(checkJson(text)).toBeNull();
  expect(checkJson("[".repeat(100_000))?.message).toContain("too early");
  expect(lineOf("a\nbc", 3)).toEqual({ line: 2, column: 2 });
});

test("a file is prepared for keeping: unwrapped, with a uid that is one", () => {
  const checked = checkImport('{"dashboard": {"uid": "a b", "title": "T", "zebra": 1.50, "panels": []}}');
  expect(checked).toMatchObject({ ok: true, uid: null, title: "T" });
  expect(checked.ok && checked.text).toBe('{"uid": null, "title": "T", "zebra": 1.50, "panels": []}');
  const resource = checkImport(
    '{"apiVersion": "dashboard.grafana.app/v1", "metadata": {"name": "res"}, "spec": {"title": "R", "panels": []}}',
  );
  expect(resource.ok && JSON.parse(resource.text)).toEqual({ uid: "res", title: "R", panels: [] });
});

test("Markdown without HTML and without scripts", () => {
  const blocks = readMarkdown(
    "# A <b>b</b>\n\nx **y** `<i>`\n- [l](https://e.x/)\n- [s](javascript:alert(1))\n<script>z</script>",
  );
  expect(blocks[0]).toEqual({ kind: "heading", level: 1, parts: [{ kind: "text", text: "A b" }] });
  expect(JSON.stringify(blocks)).toContain('{"kind":"code","text":"<i>"}');
  const list = blocks.find(({ kind }) => kind === "list");
  expect(list).toMatchObject({
    items: [[{ kind: "link", href: "https://e.x/" }], [{ kind: "em", parts: [{ text: "s" }] }]],
  });
  expect(JSON.stringify(blocks)).not.toContain("z");
  expect(["//evil.x", "data:text/html,x", "/d/host", "#a"].map(safeLink)).toEqual([
    null,
    null,
    "/d/host",
    "#a",
  ]);
});
