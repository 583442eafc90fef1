// Answers as a table: a column per label and query, then the panel's transformations.
import type { Points } from "../../api/prometheus";
import { styleOf } from "./fields";
import { patternOf } from "./json";
import type { FieldStyle, Panel, Target, Transformation } from "./model";

export type Cell = string | number | null;

export interface Column {
  name: string;
  style: FieldStyle;
}

export interface Table {
  columns: Column[];
  rows: Cell[][];
}

interface Frame {
  refId: string;
  columns: string[];
  /** Names of columns that hold numbers or times. */
  kinds: Map<string, "number" | "time" | "string">;
  rows: Map<string, Cell>[];
}

export const maxRows = 5000;

/** `answers` in the order of the queries: the last value of every series. */
export function tableOf(panel: Panel, answers: { target: Target; series: Points[] }[]): Table {
  let frames = answers.map(({ target, series }) => frameOf(target, series, answers.length > 1));
  for (const transformation of panel.transformations) frames = applied(frames, transformation);
  // Without "merge" Grafana shows one frame and a choice; we show all of them below each other.
  const frame = frames.length > 1 ? merged(frames) : frames[0];
  if (!frame) return { columns: [], rows: [] };
  const sorted = panel.sortBy ? sortRows(frame, panel.sortBy.field, panel.sortBy.desc) : frame;
  return finished(sorted, panel);
}

function frameOf(target: Target, series: Points[], several: boolean): Frame {
  const labels = new Set<string>();
  for (const one of series) for (const name of Object.keys(one.labels)) labels.add(name);
  const value = several ? `Value #${target.refId}` : "Value";
  const names = [...labels].sort((a, b) => (a === "__name__" ? -1 : b === "__name__" ? 1 : a < b ? -1 : 1));
  const rows = series
    .filter(({ times }) => times.length > 0)
    .slice(0, maxRows)
    .map((one) => {
      const row = new Map<string, Cell>([["Time", (one.times.at(-1) ?? 0) * 1000]]);
      for (const name of names) row.set(name, one.labels[name] ?? null);
      return row.set(value, one.values.at(-1) ?? null);
    });
  return {
    refId: target.refId,
    columns: ["Time", ...names, value],
    kinds: new Map([
      ["Time", "time"],
      [value, "number"],
    ]),
    rows,
  };
}

function applied(frames: Frame[], transformation: Transformation): Frame[] {
  switch (transformation.kind) {
    case "merge":
      return frames.length === 0 ? [] : [merged(frames)];
    case "join":
      return frames.length === 0 ? [] : [joined(frames, transformation.field)];
    case "labelsToFields":
      return frames;
    case "organize":
      return frames.map((frame) => organized(frame, transformation));
    case "sort":
      return frames.map((frame) => sortRows(frame, transformation.field, transformation.desc));
    case "limit":
      return frames.map((frame) => ({ ...frame, rows: frame.rows.slice(0, transformation.count) }));
    case "rename": {
      const pattern = patternOf(transformation.pattern);
      if (!pattern) return frames;
      return frames.map((frame) => renamed(frame, (name) => name.replace(pattern, transformation.to)));
    }
    case "keep":
      return frames.map((frame) => kept(frame, transformation));
  }
}

/** Rows that agree in the columns they share become one. */
function merged(frames: Frame[]): Frame {
  const columns = [...new Set(frames.flatMap((frame) => frame.columns))];
  // Values are at the end, the labels of all of them before.
  const ordered = [
    ...columns.filter((name) => !name.startsWith("Value")),
    ...columns.filter((name) => name.startsWith("Value")),
  ];
  const shared = ordered.filter(
    (name) => name !== "Time" && frames.every((frame) => frame.columns.includes(name)),
  );
  const rows: Map<string, Cell>[] = [];
  const byKey = new Map<string, Map<string, Cell>[]>();
  for (const frame of frames)
    for (const row of frame.rows) {
      const key = JSON.stringify(shared.map((name) => row.get(name) ?? null));
      const fits = byKey
        .get(key)
        ?.find((known) =>
          frame.columns.every(
            (name) => name === "Time" || !known.has(name) || known.get(name) === row.get(name),
          ),
        );
      if (fits && shared.length > 0) {
        for (const [name, cell] of row) if (name !== "Time") fits.set(name, cell);
      } else {
        const made = new Map(row);
        rows.push(made);
        byKey.set(key, [...(byKey.get(key) ?? []), made]);
      }
    }
  return { refId: frames[0]?.refId ?? "A", columns: ordered, kinds: kindsOf(frames), rows };
}

/** By one column; what the others share with an earlier query is numbered: "Time 2", "job 2". */
function joined(frames: Frame[], field: string): Frame {
  const counts = new Map<string, number>();
  for (const frame of frames) for (const name of frame.columns) counts.set(name, (counts.get(name) ?? 0) + 1);
  const columns: string[] = [field];
  const kinds = new Map<string, "number" | "time" | "string">();
  const rows = new Map<string, Map<string, Cell>>();
  const seen = new Map<string, number>();
  for (const frame of frames) {
    const names = new Map<string, string>();
    for (const name of frame.columns) {
      if (name === field) continue;
      const at = (seen.get(name) ?? 0) + 1;
      seen.set(name, at);
      const as = (counts.get(name) ?? 1) > 1 ? `${name} ${at}` : name;
      names.set(name, as);
      columns.push(as);
      kinds.set(as, frame.kinds.get(name) ?? "string");
    }
    for (const row of frame.rows) {
      const key = String(row.get(field) ?? "");
      const target = rows.get(key) ?? new Map<string, Cell>([[field, row.get(field) ?? null]]);
      for (const [name, as] of names) if (!target.has(as)) target.set(as, row.get(name) ?? null);
      rows.set(key, target);
    }
  }
  kinds.set(field, frames[0]?.kinds.get(field) ?? "string");
  return { refId: frames[0]?.refId ?? "A", columns, kinds, rows: [...rows.values()] };
}

function kindsOf(frames: Frame[]): Frame["kinds"] {
  return new Map(frames.flatMap(({ kinds }) => [...kinds]));
}

function organized(
  frame: Frame,
  { exclude, rename, order }: Extract<Transformation, { kind: "organize" }>,
): Frame {
  // A single query calls its column "Value"; files that were made with several say "Value #A", and the reverse.
  const alike = (name: string): string[] =>
    name === "Value"
      ? [name, `Value #${frame.refId}`]
      : name === `Value #${frame.refId}`
        ? [name, "Value"]
        : [name];
  const of = <T>(map: Map<string, T>, name: string): T | undefined =>
    alike(name)
      .map((one) => map.get(one))
      .find((one) => one !== undefined);
  const columns = frame.columns
    .filter((name) => !alike(name).some((one) => exclude.has(one)))
    .map((name, at) => ({ name, at: of(order, name) ?? 1000 + at }))
    .sort((a, b) => a.at - b.at)
    .map(({ name }) => name);
  return renamed({ ...frame, columns }, (name) => of(rename, name) ?? name);
}

function renamed(frame: Frame, to: (name: string) => string): Frame {
  const names = new Map(frame.columns.map((name) => [name, to(name)]));
  return {
    ...frame,
    columns: [...new Set(names.values())],
    kinds: new Map([...frame.kinds].map(([name, kind]) => [names.get(name) ?? name, kind])),
    rows: frame.rows.map((row) => new Map([...names].map(([name, as]) => [as, row.get(name) ?? null]))),
  };
}

function kept(frame: Frame, { names, pattern }: Extract<Transformation, { kind: "keep" }>): Frame {
  const matching = pattern === null ? null : patternOf(pattern);
  return {
    ...frame,
    columns: frame.columns.filter((name) => names.has(name) || (matching?.test(name) ?? false)),
  };
}

function sortRows(frame: Frame, field: string, desc: boolean): Frame {
  const sign = desc ? -1 : 1;
  const rows = [...frame.rows].sort(
    (a, b) => sign * compareCells(a.get(field) ?? null, b.get(field) ?? null),
  );
  return { ...frame, rows };
}

export function compareCells(a: Cell, b: Cell): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null);
  return typeof a === "number" && typeof b === "number"
    ? a - b
    : String(a).localeCompare(String(b), "en", { numeric: true });
}

function finished(frame: Frame, panel: Panel): Table {
  const columns = frame.columns
    .map((name) => {
      const kind = frame.kinds.get(name) ?? "string";
      const base =
        kind === "time" ? { ...panel.field, unit: "dateTimeAsIso", decimals: undefined } : panel.field;
      return { name, style: styleOf(base, panel.overrides, { name, refId: frame.refId, type: kind }) };
    })
    .filter(({ style }) => !style.hidden);
  return {
    columns: columns.map(({ name, style }) => ({ name: style.displayName ?? name, style })),
    rows: frame.rows.map((row) => columns.map(({ name }) => row.get(name) ?? null)),
  };
}
