// Transformations of answers: those that tables are usually made with. The others are named as lacking.
import { type Fields, fieldsOf, listOf, numberOf, patternOf, textOf, textsOf } from "./json";
import type { Note } from "./lacking";
import type { PanelKind, Transformation } from "./model";

export function readTransformations(value: unknown, kind: PanelKind, note: Note): Transformation[] {
  const found: Transformation[] = [];
  for (const one of listOf(value).map(fieldsOf)) {
    if (one.disabled === true) continue;
    const id = textOf(one.id, "?");
    // Only tables show rows and columns; elsewhere a series is a series.
    const read = kind === "table" ? readOne(id, fieldsOf(one.options)) : null;
    if (read) found.push(read);
    else note(`the transformation ${id}`);
  }
  return found;
}

function readOne(id: string, options: Fields): Transformation | null {
  switch (id) {
    case "merge":
      return { kind: "merge" };
    case "labelsToFields":
      return options.mode === "rows" ? null : { kind: "labelsToFields" };
    case "joinByField":
      return { kind: "join", field: textOf(options.byField, "Time") };
    case "seriesToColumns":
      return { kind: "join", field: textOf(options.byField, "Time") };
    case "organize":
      return organizeOf(options);
    case "sortBy": {
      const { field, desc } = fieldsOf(listOf(options.sort)[0]);
      return textOf(field) === "" ? null : { kind: "sort", field: textOf(field), desc: desc === true };
    }
    case "limit":
      return { kind: "limit", count: numberOf(options.limitField) ?? 10 };
    case "renameByRegex":
      return patternOf(textOf(options.regex)) === null
        ? null
        : { kind: "rename", pattern: textOf(options.regex), to: textOf(options.renamePattern) };
    case "filterFieldsByName": {
      const include = fieldsOf(options.include);
      if (options.exclude !== undefined || typeof include.variable === "string") return null;
      return {
        kind: "keep",
        names: new Set(textsOf(include.names)),
        pattern: textOf(include.pattern) || null,
      };
    }
    default:
      return null;
  }
}

function organizeOf(options: Fields): Transformation {
  const exclude = Object.entries(fieldsOf(options.excludeByName)).filter(([, out]) => out === true);
  const rename = Object.entries(fieldsOf(options.renameByName)).flatMap(([from, to]): [string, string][] =>
    typeof to === "string" && to !== "" ? [[from, to]] : [],
  );
  const order = Object.entries(fieldsOf(options.indexByName)).flatMap(([name, at]): [string, number][] =>
    typeof at === "number" ? [[name, at]] : [],
  );
  return {
    kind: "organize",
    exclude: new Set(exclude.map(([name]) => name)),
    rename: new Map(rename),
    order: new Map(order),
  };
}
