import { Popover } from "@mantine/core";
import { useState } from "react";
import { FieldPicker } from "../../components/facets/FieldPicker";
import { Icon } from "../../components/Icon";
import { useShortcuts } from "../../components/useShortcuts";
import type { Question } from "../../lib/query/question";
import styles from "./ColumnsMenu.module.css";
import { type Column, columnLimit, columnName, defaultColumns, moveColumn, toggleColumn } from "./columns";

interface ColumnsMenuProps {
  columns: Column[];
  wrap: boolean;
  question: Question;
  onColumns: (columns: Column[]) => void;
  onWrap: (wrap: boolean) => void;
}

/** Which fields the rows show and in which order, and whether long bodies wrap. */
export function ColumnsMenu({ columns, wrap, question, onColumns, onWrap }: ColumnsMenuProps) {
  const [open, setOpen] = useState(false);
  useShortcuts({ c: () => setOpen(true), w: () => onWrap(!wrap) });
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-end">
      <Popover.Target>
        <button
          type="button"
          className="button button-quiet button-small"
          aria-label="Columns"
          onClick={() => setOpen(!open)}
        >
          <Icon name="columns" small />
          <span className={styles.word}>Columns</span>
        </button>
      </Popover.Target>
      <Popover.Dropdown p={4} aria-label="Columns">
        <div className={styles.menu}>
          <p className={styles.title}>Shown, from left to right</p>
          <ul aria-label="Columns shown">
            {columns.map(({ field }, at) => (
              <li key={field} className={styles.shown}>
                <span className={styles.name} title={field}>
                  {columnName(field)}
                </span>
                <Move
                  label={`Move ${columnName(field)} left`}
                  icon="up"
                  disabled={at === 0}
                  onMove={() => onColumns(moveColumn(columns, field, -1))}
                />
                <Move
                  label={`Move ${columnName(field)} right`}
                  icon="down"
                  disabled={at === columns.length - 1}
                  onMove={() => onColumns(moveColumn(columns, field, 1))}
                />
                <button
                  type="button"
                  className={styles.tool}
                  aria-label={`Remove ${columnName(field)}`}
                  disabled={field === "body"}
                  title={field === "body" ? "The body stays" : "Remove this column"}
                  onClick={() => onColumns(toggleColumn(columns, field))}
                >
                  <Icon name="close" small />
                </button>
              </li>
            ))}
          </ul>
          {columns.length < columnLimit ? (
            <FieldPicker
              question={question}
              chosen={[]}
              without={[...columns.map(({ field }) => field), "timestamp", "observed_timestamp"]}
              label="Add a column"
              onToggle={(field) => onColumns(toggleColumn(columns, field))}
            />
          ) : (
            <p className={styles.title}>There is room for {columnLimit} columns.</p>
          )}
          <div className={styles.foot}>
            <label className={styles.wrap}>
              <input type="checkbox" checked={wrap} onChange={(event) => onWrap(event.target.checked)} />
              Wrap long lines
            </label>
            <button
              type="button"
              className="button button-small button-quiet"
              onClick={() => onColumns(defaultColumns)}
            >
              Usual columns
            </button>
          </div>
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}

interface MoveProps {
  label: string;
  icon: "up" | "down";
  disabled: boolean;
  onMove: () => void;
}

function Move({ label, icon, disabled, onMove }: MoveProps) {
  return (
    <button
      type="button"
      className={styles.tool}
      aria-label={label}
      title={label}
      disabled={disabled}
      onClick={onMove}
    >
      <span className={icon === "up" ? styles.up : undefined}>
        <Icon name="down" small />
      </span>
    </button>
  );
}
