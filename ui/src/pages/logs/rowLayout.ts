import { type CSSProperties, useMemo } from "react";
import type { LogRecord } from "../../api/logs";
import { type Term, termsOf } from "../../lib/query/terms";
import type { Zone } from "../../lib/time/zone";
import { type Column, gridOf } from "./columns";
import { numericFields } from "./fields";

/** What all rows of a list share. */
export interface RowLayout {
  /** In their order; `body` is one of them. */
  fields: string[];
  /** Fields whose values are numbers, which stand at the right. */
  numeric: Set<string>;
  zone: Zone;
  withDay: boolean;
  terms: Term[];
  wrap: boolean;
}

interface LayoutInput {
  records: LogRecord[];
  query: string;
  zone: Zone;
  withDay: boolean;
  columns: Column[];
  wrap: boolean;
}

/** The same object as long as nothing changes, so that rows are not drawn anew. */
export function useRowLayout({ records, query, zone, withDay, columns, wrap }: LayoutInput): RowLayout {
  const terms = useMemo(() => termsOf(query), [query]);
  const names = columns.map(({ field }) => field).join("\n");
  const fields = useMemo(() => names.split("\n"), [names]);
  // The first rows decide, so that a column does not change its side while more rows come.
  const numericNames = numericFields(records.slice(0, 100), fields).join("\n");
  return useMemo(
    () => ({ fields, numeric: new Set(numericNames.split("\n")), zone, withDay, terms, wrap }),
    [fields, numericNames, zone, withDay, terms, wrap],
  );
}

/** For the element around the header and the rows, which all follow the same grid. */
export function gridStyle(columns: Column[], withDay: boolean): CSSProperties {
  const { template, minPx } = gridOf(columns, withDay ? 140 : 98);
  const others = columns.length - 1;
  return {
    "--columns": template,
    "--min-width": `${minPx}px`,
    "--phone-columns": `auto ${others > 0 ? `repeat(${others}, minmax(0, auto))` : ""} minmax(0, 1fr)`,
  } as CSSProperties;
}
