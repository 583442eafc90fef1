import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef, useState } from "react";
import type { Panel } from "../../../lib/dashboard/model";
import type { TargetAnswer } from "../../../lib/dashboard/series";
import { type Cell, type Column, compareCells, maxRows, tableOf } from "../../../lib/dashboard/tables";
import { shownText, shownValue } from "../../../lib/dashboard/values";
import { sizes } from "../../../theme/tokens";
import styles from "./Panels.module.css";

interface DataTableProps {
  panel: Panel;
  name: string;
  answers: TargetAnswer[];
}

/** Rows and columns; a click on a column's name sorts. Only the visible rows are on the page. */
export function DataTable({ panel, name, answers }: DataTableProps) {
  const table = useMemo(() => tableOf(panel, answers), [panel, answers]);
  const [sort, setSort] = useState<{ at: number; desc: boolean } | null>(null);
  const rows = useMemo(() => {
    if (!sort) return table.rows;
    const sign = sort.desc ? -1 : 1;
    return [...table.rows].sort((a, b) => sign * compareCells(a[sort.at] ?? null, b[sort.at] ?? null));
  }, [table, sort]);
  const scroll = useRef<HTMLElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => sizes.tableRowPx,
    overscan: 12,
  });
  const items = virtual.getVirtualItems();
  const before = items[0]?.start ?? 0;
  const after = virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  return (
    <section ref={scroll} className={styles.scroll} tabIndex={0} aria-label={`${name}, table`}>
      <table className={styles.table} aria-rowcount={rows.length + 1}>
        <thead>
          <tr>
            {table.columns.map((column, at) => (
              <th
                key={column.name}
                scope="col"
                data-number={isNumber(rows, at)}
                aria-sort={sort?.at === at ? (sort.desc ? "descending" : "ascending") : undefined}
              >
                <button
                  type="button"
                  onClick={() => setSort({ at, desc: sort?.at === at ? !sort.desc : isNumber(rows, at) })}
                >
                  {column.name}
                  {sort?.at === at && <span aria-hidden="true">{sort.desc ? " ↓" : " ↑"}</span>}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="tabular">
          {before > 0 && (
            <tr>
              <td style={{ height: before }} />
            </tr>
          )}
          {items.map(({ index }) => (
            <tr key={index} aria-rowindex={index + 2}>
              {table.columns.map((column, at) => (
                <TableCell key={column.name} column={column} cell={rows[index]?.[at] ?? null} />
              ))}
            </tr>
          ))}
          {after > 0 && (
            <tr>
              <td style={{ height: after }} />
            </tr>
          )}
        </tbody>
      </table>
      {rows.length >= maxRows && <p className={styles.note}>The first {maxRows} rows of each query.</p>}
    </section>
  );
}

function TableCell({ column, cell }: { column: Column; cell: Cell }) {
  const number = typeof cell === "number";
  const shown = number ? shownValue(cell, column.style) : shownText(cell ?? "", column.style);
  const level = column.style.byThresholds || !number ? shown.level : null;
  return (
    <td
      data-number={column.style.align ? column.style.align === "right" : number}
      data-level={level ?? undefined}
      title={shown.text.length > 24 ? shown.text : undefined}
    >
      {shown.text}
    </td>
  );
}

function isNumber(rows: Cell[][], at: number): boolean {
  return typeof rows.find((row) => row[at] !== null)?.[at] === "number";
}
