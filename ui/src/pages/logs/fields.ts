// How the query language names a place in a record.
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
