// The cell that the keyboard points at: a column of the row that `j` and `k` walk to. Pure.

/** The columns that the cursor visits: a body has no one value to filter by. */
export function cellsOf(fields: string[]): string[] {
  return fields.filter((field) => field !== "body");
}

/** Where a key takes the cursor; left of the first cell is the whole row. undefined: the key is none of its own. */
export function movedCell(fields: string[], cell: string | null, key: string): string | null | undefined {
  const cells = cellsOf(fields);
  const at = cell === null ? -1 : cells.indexOf(cell);
  if (key === "ArrowRight") return cells[Math.min(at + 1, cells.length - 1)] ?? null;
  if (key === "ArrowLeft") return cells[at - 1] ?? null;
  return undefined;
}

/** Of the cell in the page. A column's name may have characters that an id must not have. */
export function cellId(recordId: string, fields: string[], field: string): string {
  return `cell-${recordId}-${fields.indexOf(field)}`;
}
