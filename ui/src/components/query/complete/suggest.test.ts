import { expect, test } from "vitest";
import type { FieldName } from "../../../api/fields";
import { completionAt } from "../../../lib/query/completion";
import { suggest } from "./suggest";

const field = (name: string): FieldName => ({ name, kind: "attribute", type: "string", share: 0.5 });
const fields = ["service", "http.status_code", "http.route", "my key", "observed"].map(field);
const values = ["checkout", "my shop", "OR", "cart", "10.0.0.1:80"].map((value) => ({
  value,
  count: 12_000,
}));

function offered(text: string): string[] {
  const completion = completionAt(text, text.length);
  return completion ? suggest(completion, fields, values).map(({ insert }) => insert) : [];
}

test.each([
  ["ser", ["service:", "observed:"]],
  ["SER", ["service:", "observed:"]],
  ["status", ["http.status_code:"]],
  ["my", ['"my key":']],
  ["o", ["observed:", "OR ", "http.route:", "http.status_code:"].sort()],
  ["exi", ["exists("]],
  ["service:c", ["checkout ", "cart "]],
  ["service:my", ['"my shop" ']],
  ['service:"my', ['"my shop" ']],
  ["service:O", ['"OR" ', "checkout ", '"my shop" '].sort()],
  ["service:10", ['"10.0.0.1:80" ']],
  ["severity>=er", ["error "]],
  ["a | s", ["stats ", "sort "]],
  ["a | stats p9", ["p95(", "p99("]],
  ["a | stats avg(http.r", ["http.route"]],
  ["a | stats count() by bi", ["bin(1m)"]],
  ["a | sort by service d", ["desc"]],
  ["a | fields service", []],
  ["", ["service:", "http.status_code:", "http.route:", '"my key":', "observed:"]],
])("%s", (text, expected) => {
  const inserts = offered(text);
  expect(["o", "service:O"].includes(text) ? inserts.sort() : inserts).toEqual(expected);
});

test("says how often a field is there and how many records have a value", () => {
  const completion = completionAt("service:ch", 10);
  expect(completion && suggest(completion, fields, values)[0]?.detail).toBe("12.0\u00a0k");
});
