// How the query language names a place in a record, and what it finds there.
import type { LogRecord } from "../../api/logs";
import { isObject, type Json } from "../../lib/json";
import { severityOf } from "../../lib/severity";

const topLevel = new Set(["trace_id", "span_id", "event_name", "severity"]);
const ownNames = new Set([
  "severity",
  "level",
  "service",
  "host",
  "body",
  "trace_id",
  "span_id",
  "scope",
  "event_name",
  "attributes",
  "resource",
]);

/** The field for a path such as ["attributes", "http.route"], or null when no field reaches it. */
export function fieldOf(path: string[]): string | null {
  const [section = "", ...keys] = path;
  if (keys.length === 0) return topLevel.has(section) ? section : null;
  const name = keys.join(".");
  if (section === "scope") return name === "name" ? "scope" : null;
  if (section === "resource") {
    if (name === "service.name") return "service";
    return name === "host.name" ? "host" : `resource.${name}`;
  }
  if (section !== "attributes") return null;
  const shadowed = ownNames.has(name) || ownNames.has(keys[0]?.split(".")[0] ?? "");
  return shadowed ? `attributes.${name}` : name;
}

/** What a record has in a field; null when it has none. */
export function valueIn(record: LogRecord, field: string): Json {
  switch (field) {
    case "severity":
    case "level": {
      const severity = severityOf(record.severity_number);
      return severity === "unset" ? null : severity;
    }
    case "service":
      return record.service;
    case "host":
      return record.host;
    case "body":
      return record.body;
    case "trace_id":
      return record.trace_id;
    case "span_id":
      return record.span_id;
    case "event_name":
      return record.event_name;
    case "scope":
      return record.scope?.name ?? null;
  }
  if (field.startsWith("attributes.")) return inside(record.attributes, field.slice("attributes.".length));
  if (field.startsWith("resource.")) return inside(record.resource, field.slice("resource.".length));
  return inside(record.attributes, field) ?? inside(record.resource, field);
}

/** The key `a.b.c`, or else `b.c` inside of the map `a`, and so on. */
function inside(map: { [key: string]: Json }, name: string): Json {
  if (Object.hasOwn(map, name)) return map[name] ?? null;
  for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) {
    const inner = map[name.slice(0, dot)] ?? null;
    if (!isObject(inner)) continue;
    const found = inside(inner, name.slice(dot + 1));
    if (found !== null) return found;
  }
  return null;
}

/** The fields in which all of these records have numbers, as far as they have the field. */
export function numericFields(records: LogRecord[], fields: string[]): string[] {
  return fields.filter((field) => {
    const values = records.map((record) => valueIn(record, field)).filter((value) => value !== null);
    return values.length > 0 && values.every((value) => typeof value === "number");
  });
}
