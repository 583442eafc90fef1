import { type PointerEvent, useRef } from "react";
import type { Order } from "../../api/logs";
import { Choice, ChoiceLabel, Choices } from "../../components/Choices";
import { Icon } from "../../components/Icon";
import { existsCondition } from "../../lib/query/edit";
import type { Span } from "../../lib/time/range";
import { type Zone, zoneLabel } from "../../lib/time/zone";
import { type Column, columnName, moveColumn, resizeColumn, toggleColumn } from "./columns";
import { useRecordActions } from "./RecordActions";
import styles from "./RowsHeader.module.css";

export interface ColumnChange {
  columns: Column[];
  wrap: boolean;
  onColumns: (columns: Column[]) => void;
  /** While a border is dragged; null when it is let go. */
  onDraft: (columns: Column[] | null) => void;
  onWrap: (wrap: boolean) => void;
  onFilter: (condition: string, exclude: boolean) => void;
}

interface RowsHeaderProps extends ColumnChange {
  gridClass: string;
  timeClass: string | undefined;
  numeric: Set<string>;
  order: Order;
  zone: Zone;
  span: Span;
  onOrder: (order: Order) => void;
}

/** The names of the columns: time sorts, each other one has a menu, and its right border changes its width. */
export function RowsHeader(props: RowsHeaderProps) {
  const { columns, gridClass, timeClass, numeric, order, zone, span, onOrder } = props;
  const newest = order === "newest";
  return (
    <div role="row" className={`${gridClass} ${styles.header}`} aria-rowindex={1}>
      <span role="columnheader" className={timeClass} aria-sort={newest ? "descending" : "ascending"}>
        <button
          type="button"
          className={styles.order}
          title={newest ? "Newest first" : "Oldest first"}
          onClick={() => onOrder(newest ? "oldest" : "newest")}
        >
          Time {zoneLabel(zone, span.endMs)} {newest ? "↓" : "↑"}
          <span className={styles.orderWords}>{newest ? " newest first" : " oldest first"}</span>
        </button>
      </span>
      {columns.map(({ field }) => (
        <span
          key={field}
          role="columnheader"
          className={styles.name}
          data-numeric={numeric.has(field) || undefined}
        >
          <ColumnMenu {...props} field={field} />
          {field !== "body" && <Border {...props} field={field} />}
        </span>
      ))}
    </div>
  );
}

interface OneColumn extends ColumnChange {
  field: string;
}

function ColumnMenu({ field, columns, wrap, onColumns, onWrap, onFilter }: OneColumn) {
  const actions = useRecordActions();
  const name = columnName(field);
  const at = columns.findIndex((column) => column.field === field);
  const width = columns[at]?.widthPx ?? null;
  return (
    <Choices
      label={`Column ${name}`}
      position="bottom-start"
      button={(toggle) => (
        <button type="button" className={styles.menu} title={field} onClick={toggle}>
          <span className={styles.label}>{name}</span>
          <Icon name="down" small />
        </button>
      )}
    >
      {(close) => {
        const choose = (act: () => void) => () => {
          close();
          act();
        };
        return (
          <>
            {at > 0 && (
              <Choice chosen={null} onChoose={choose(() => onColumns(moveColumn(columns, field, -1)))}>
                Move left
              </Choice>
            )}
            {at < columns.length - 1 && (
              <Choice chosen={null} onChoose={choose(() => onColumns(moveColumn(columns, field, 1)))}>
                Move right
              </Choice>
            )}
            {field === "body" ? (
              <Choice chosen={wrap} onChoose={choose(() => onWrap(!wrap))}>
                Wrap long lines
              </Choice>
            ) : (
              <>
                <Choice
                  chosen={null}
                  onChoose={() => onColumns(resizeColumn(columns, field, (width ?? 120) + 40))}
                >
                  Wider
                </Choice>
                <Choice
                  chosen={null}
                  onChoose={() => onColumns(resizeColumn(columns, field, (width ?? 120) - 40))}
                >
                  Narrower
                </Choice>
                {width !== null && (
                  <Choice
                    chosen={null}
                    onChoose={choose(() => onColumns(resizeColumn(columns, field, null)))}
                  >
                    Usual width
                  </Choice>
                )}
                <ChoiceLabel>{field}</ChoiceLabel>
                <Choice chosen={null} onChoose={choose(() => onFilter(existsCondition(field), false))}>
                  Only records that have it
                </Choice>
                <Choice chosen={null} onChoose={choose(() => onFilter(existsCondition(field), true))}>
                  Only records without it
                </Choice>
                {actions && (
                  <Choice chosen={null} onChoose={choose(() => actions.toggleFacet(field))}>
                    {actions.hasFacet(field) ? "Remove its facet" : "Add as a facet"}
                  </Choice>
                )}
                <Choice chosen={null} onChoose={choose(() => onColumns(toggleColumn(columns, field)))}>
                  Remove the column
                </Choice>
              </>
            )}
          </>
        );
      }}
    </Choices>
  );
}

/** Dragged, it changes the width of the column at its left; a double click gives the usual width back. */
function Border({ field, columns, onColumns, onDraft }: OneColumn) {
  const drag = useRef<{ fromX: number; widthPx: number } | null>(null);
  const resized = (event: PointerEvent) => {
    const { fromX, widthPx } = drag.current ?? { fromX: event.clientX, widthPx: 0 };
    return resizeColumn(columns, field, widthPx + event.clientX - fromX);
  };
  const start = (event: PointerEvent<HTMLSpanElement>) => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const widthPx = event.currentTarget.parentElement?.getBoundingClientRect().width ?? 120;
    drag.current = { fromX: event.clientX, widthPx };
  };
  const end = (event: PointerEvent) => {
    const moved = drag.current !== null && Math.abs(event.clientX - drag.current.fromX) > 2;
    if (moved) onColumns(resized(event));
    drag.current = null;
    onDraft(null);
  };
  return (
    <span
      className={styles.border}
      title="Drag to resize, double-click for the usual width"
      aria-hidden="true"
      data-border={field}
      onPointerDown={start}
      onPointerMove={(event) => drag.current && onDraft(resized(event))}
      onPointerUp={end}
      onPointerCancel={() => {
        drag.current = null;
        onDraft(null);
      }}
      onDoubleClick={() => onColumns(resizeColumn(columns, field, null))}
    />
  );
}
