import { expect, test } from "vitest";
import { parseSearch, stringifySearch } from "./search";

test.each([
  ["", {}],
  ["?q=up", { q: "up" }],
  ["?q=up&q=rate%28x%5B5m%5D%29&from=now-3h", { q: ["up", "rate(x[5m])"], from: "now-3h" }],
])("%s is %j and back", (text, search) => {
  expect(parseSearch(text)).toEqual(search);
  expect(stringifySearch(search)).toBe(text);
});

test("what is undefined is not written", () => {
  expect(stringifySearch({ a: undefined, b: 1 })).toBe("?b=1");
});
