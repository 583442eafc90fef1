// What of the patterns tab is in the URL.
export type PatternSort = "count" | "newest" | "severity";

export interface PatternsView {
  sort: PatternSort;
  /** Only patterns that were first seen inside of the range. */
  onlyNew: boolean;
  /** The open pattern: 16 hexadecimal digits. */
  open: string | null;
}

export interface PatternsSearch {
  sort?: "newest" | "severity";
  new?: "1";
  pattern?: string;
}

export const plainPatterns: PatternsView = { sort: "count", onlyNew: false, open: null };

const idForm = /^[0-9a-f]{16}$/;

export function encodePatternsView({ sort, onlyNew, open }: PatternsView): PatternsSearch {
  return {
    ...(sort !== "count" && { sort }),
    ...(onlyNew && { new: "1" as const }),
    ...(open !== null && { pattern: open }),
  };
}

export function decodePatternsView(search: Record<string, unknown>): PatternsView {
  const { sort, pattern } = search;
  return {
    sort: sort === "newest" || sort === "severity" ? sort : "count",
    onlyNew: search.new === "1",
    open: typeof pattern === "string" && idForm.test(pattern) ? pattern : null,
  };
}
