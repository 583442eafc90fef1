import { expect, test } from "vitest";
import { fieldOf } from "./fields";

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
