import { expect, test } from "vitest";
import type { LogRecord } from "../../api/logs";
import { fieldOf, numericFields, valueIn } from "./fields";

test.each([
  [["attributes", "http.route"], "http.route"],
  [["attributes", "cart", "id"], "cart.id"],
  [["attributes", "service"], "attributes.service"],
  [["attributes", "resource.kind"], "attributes.resource.kind"],
  [["resource", "service.name"], "service"],
  [["resource", "host.name"], "host"],
  [["resource", "os.type"], "resource.os.type"],
  [["scope", "name"], "scope"],
  [["scope", "version"], null],
  [["trace_id"], "trace_id"],
  [["severity"], "severity"],
  [["timestamp"], null],
  [["body"], null],
  [["body", "x"], null],
])("field of %j", (path, field) => {
  expect(fieldOf(path)).toBe(field);
});

const record = {
  severity_number: 17,
  service: "checkout",
  host: null,
  body: "said",
  attributes: { "a.b": 1, a: { b: 2, "c.d": 3, c: { e: 4 } }, service: "inner", both: "attribute" },
  resource: { "service.name": "checkout", both: "resource", only: true },
  scope: { name: "http" },
} as unknown as LogRecord;

test.each([
  ["severity", "error"],
  ["level", "error"],
  ["service", "checkout"],
  ["host", null],
  ["body", "said"],
  ["scope", "http"],
  ["a.b", 1],
  ["a.c.d", 3],
  ["a.c.e", 4],
  ["a.x", null],
  ["attributes.service", "inner"],
  ["resource.both", "resource"],
  ["both", "attribute"],
  ["only", true],
  ["toString", null],
])("%s of a record", (field, value) => {
  expect(valueIn(record, field)).toEqual(value);
});

test("a column is numeric when every value in it is a number", () => {
  const other = { ...record, attributes: { "a.b": "1", both: 5 } } as LogRecord;
  expect(numericFields([record], ["a.b", "both", "nothing"])).toEqual(["a.b"]);
  expect(numericFields([record, other], ["a.b"])).toEqual([]);
});
