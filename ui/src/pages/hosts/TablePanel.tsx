import type { ReactNode } from "react";
import { sentence } from "../../lib/words";
import styles from "./HostPage.module.css";

interface TablePanelProps {
  title: string;
  note: string;
  columns: string[];
  rows: { key: string; cells: ReactNode[] }[];
  pending: boolean;
  error: Error | null;
  absent: string;
  onRetry: () => void;
}

/** A table as a panel of the host's page: the first column names, the others are numbers. */
export function TablePanel(props: TablePanelProps) {
  const { title, note, columns, rows, pending, error, absent, onRetry } = props;
  return (
    <section className={`panel ${styles.chart}`} data-width={6} aria-label={title}>
      <div className={styles.head}>
        <h2>{title}</h2>
        <span className={styles.sub}>{note}</span>
      </div>
      {rows.length > 0 ? (
        <section className={styles.scroll} tabIndex={0} aria-label={`${title}, table`}>
          <table className={styles.table}>
            <thead>
              <tr>
                {columns.map((column) => (
                  <th key={column} scope="col">
                    {column}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody className="tabular">
              {rows.map(({ key, cells }) => (
                <tr key={key}>
                  {cells.map((cell, at) => (
                    <td key={columns[at]}>{cell}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      ) : error ? (
        <p className={styles.empty} role="alert">
          {sentence(error.message)}{" "}
          <button type="button" className="link" onClick={onRetry}>
            Try again
          </button>
        </p>
      ) : pending ? (
        <div className={`skeleton ${styles.skeleton}`} />
      ) : (
        <p className={styles.empty}>{absent}</p>
      )}
    </section>
  );
}
