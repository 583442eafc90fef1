import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef } from "react";
import type { Column, ResultTable as Table } from "../../api/logs";
import { usePhone } from "../../components/usePhone";
import type { Json } from "../../lib/json";
import { formatExact } from "../../lib/number";
import { formatMoment } from "../../lib/time/format";
import { type Zone, zoneLabel } from "../../lib/time/zone";
import { sizes } from "../../theme/tokens";
import styles from "./ResultTable.module.css";

const widths = { time: "168px", number: "minmax(80px, 140px)" };
const phoneWidths = { time: "138px", string: "minmax(80px, 1fr)", number: "minmax(56px, max-content)" };

/** What `| stats` and `| top` return. The first number column has bars, so that proportions show. */
export function ResultTable({ table, zone }: { table: Table; zone: Zone }) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer({
    count: table.rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => sizes.tableRowPx,
    overscan: 12,
  });
  const phone = usePhone();
  const barAt = table.columns.findIndex((column) => column.kind === "number");
  const max = Math.max(...table.rows.map((row) => Number(row[barAt] ?? 0)), 0);
  const bars = barAt >= 0 && !phone;
  const width = (column: Column, at: number) =>
    phone ? phoneWidths[column.kind] : column.kind === "string" ? textWidth(table, at) : widths[column.kind];
  const template = table.columns.map(width).join(" ");
  const columns = { gridTemplateColumns: bars ? `${template} minmax(80px, 1fr)` : template };
  if (table.rows.length === 0)
    return <p className={styles.none}>No record matches, so there is nothing to count.</p>;
  return (
    <div
      ref={scroller}
      className={styles.scroller}
      role="table"
      aria-label="Result"
      aria-rowcount={table.rows.length + 1}
      tabIndex={0}
    >
      <div role="row" className={`${styles.row} ${styles.header}`} style={columns} aria-rowindex={1}>
        {table.columns.map((column) => (
          <span key={column.name} role="columnheader" data-kind={column.kind}>
            {column.name}
            {column.kind === "time" && ` ${zoneLabel(zone, Date.now())}`}
          </span>
        ))}
        {bars && <span aria-hidden="true" />}
      </div>
      <div role="rowgroup" className={styles.lines} style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map((line) => {
          const row = table.rows[line.index] ?? [];
          return (
            <div
              key={line.key}
              role="row"
              aria-rowindex={line.index + 2}
              className={`${styles.row} ${styles.line}`}
              style={{ ...columns, transform: `translateY(${line.start}px)` }}
            >
              {table.columns.map((column, at) => (
                <span key={column.name} role="cell" data-kind={column.kind}>
                  {cellText(row[at] ?? null, column, zone)}
                </span>
              ))}
              {bars && (
                <span aria-hidden="true" className={styles.track}>
                  <span
                    className={styles.bar}
                    style={{ width: `${max > 0 ? (Number(row[barAt] ?? 0) / max) * 100 : 0}%` }}
                  />
                </span>
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** As wide as the longest of the first texts, at most half of a page: ids stay narrow and sentences can be read. */
function textWidth(table: Table, at: number): string {
  const texts = table.rows.slice(0, 200).map((row) => String(row[at] ?? "").length);
  const longest = Math.max(table.columns[at]?.name.length ?? 0, ...texts);
  return `minmax(100px, ${Math.min(Math.max(100, longest * 7 + 8), 640)}px)`;
}

function cellText(value: Json, column: Column, zone: Zone): string {
  if (value === null) return "–";
  if (typeof value === "number" && column.kind === "number") {
    return Number.isInteger(value) ? formatExact(value) : String(Number(value.toPrecision(6)));
  }
  if (column.kind === "time" && typeof value === "string") {
    const ms = Date.parse(value);
    return Number.isNaN(ms) ? value : formatMoment(ms, zone);
  }
  return typeof value === "string" ? value : JSON.stringify(value);
}
