// The columns of the rows: fields of the query language, of which `body` takes the room that the others leave.

export interface Column {
  field: string;
  /** null: by the field and the room there is. */
  widthPx: number | null;
}

export const defaultColumns: Column[] = ["severity", "service", "host", "body"].map((field) => ({
  field,
  widthPx: null,
}));

export const columnLimit = 20;
const [minWidthPx, maxWidthPx] = [40, 800];
const bodyMinPx = 240;
/** Both sides of a row and the gap between two cells, as in Rows.module.css. */
const [paddingPx, gapPx] = [25, 12];

const usualWidths: Record<string, [minPx: number, maxPx: number]> = {
  severity: [52, 52],
  service: [72, 128],
  host: [64, 116],
  trace_id: [80, 240],
  span_id: [80, 132],
};
const otherWidth: [number, number] = [72, 140];

export function columnName(field: string): string {
  const own: Record<string, string> = {
    severity: "Severity",
    service: "Service",
    host: "Host",
    body: "Body",
  };
  return own[field] ?? field;
}

export function hasColumn(columns: Column[], field: string): boolean {
  return columns.some((column) => column.field === field);
}

/** Adds the field behind the last column, or takes it away. The body stays. */
export function toggleColumn(columns: Column[], field: string): Column[] {
  if (hasColumn(columns, field))
    return columns.filter((column) => column.field !== field || field === "body");
  return columns.length < columnLimit ? [...columns, { field, widthPx: null }] : columns;
}

export function moveColumn(columns: Column[], field: string, by: -1 | 1): Column[] {
  const at = columns.findIndex((column) => column.field === field);
  const to = at + by;
  if (at < 0 || to < 0 || to >= columns.length) return columns;
  const moved = columns.filter((_, index) => index !== at);
  return [...moved.slice(0, to), ...columns.slice(at, at + 1), ...moved.slice(to)];
}

export function resizeColumn(columns: Column[], field: string, widthPx: number | null): Column[] {
  const clamped = widthPx === null ? null : clampWidth(widthPx);
  return columns.map((column) => (column.field === field ? { ...column, widthPx: clamped } : column));
}

export function clampWidth(widthPx: number): number {
  return Math.round(Math.min(Math.max(widthPx, minWidthPx), maxWidthPx));
}

/** The CSS grid of a row, and the width below which it scrolls sideways. `timePx` is the first column's. */
export function gridOf(columns: Column[], timePx: number): { template: string; minPx: number } {
  const tracks = columns.map(({ field, widthPx }): [minPx: number, track: string] => {
    if (field === "body") return [bodyMinPx, `minmax(${bodyMinPx}px, 1fr)`];
    if (widthPx !== null) return [widthPx, `${widthPx}px`];
    const [min, max] = usualWidths[field] ?? otherWidth;
    return [min, `minmax(${min}px, ${max}px)`];
  });
  const template = [`${timePx}px`, ...tracks.map(([, track]) => track)].join(" ");
  const minPx = tracks.reduce((sum, [min]) => sum + min + gapPx, timePx + paddingPx);
  return { template, minPx };
}

/** As one URL parameter: `service,host:160,body`. The default has none. */
export function encodeColumns(columns: Column[]): { columns?: string } {
  const text = textOf(columns);
  return text === textOf(defaultColumns) ? {} : { columns: text };
}

function textOf(columns: Column[]): string {
  const name = (field: string) => field.replace(/[%,:]/g, encodeURIComponent);
  return columns
    .map(({ field, widthPx }) => (widthPx === null ? name(field) : `${name(field)}:${widthPx}`))
    .join(",");
}

/** Never fails: what is malformed is left out, and a body that is missing comes last. */
export function decodeColumns(text: string): Column[] {
  if (text === "") return defaultColumns;
  const columns: Column[] = [];
  for (const part of text.split(",").slice(0, columnLimit)) {
    const [name = "", width] = part.split(":");
    const field = decoded(name);
    if (field === "" || field.length > 256 || hasColumn(columns, field)) continue;
    const widthPx = width !== undefined && /^\d{1,4}$/.test(width) ? clampWidth(Number(width)) : null;
    columns.push({ field, widthPx });
  }
  return hasColumn(columns, "body") ? columns : [...columns, { field: "body", widthPx: null }];
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return "";
  }
}
