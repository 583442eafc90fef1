import type { Span } from "../../lib/time/range";
import { formatValue } from "../../lib/units";
import styles from "./HostPage.module.css";
import { hostTables } from "./queries";
import { levelOf } from "./rows";
import { TablePanel } from "./TablePanel";
import { fileSystemRows } from "./tables";
import { useTable } from "./useTable";

interface FileSystemsProps {
  host: string;
  span: Span;
  generation: number;
  onRetry: () => void;
}

export function FileSystems({ host, span, generation, onRetry }: FileSystemsProps) {
  const queries = hostTables(host);
  const { answers, pending, error } = useTable(
    [queries.fileSystemUsed, queries.fileSystemSize],
    span,
    generation,
  );
  const rows = fileSystemRows(answers[0] ?? [], answers[1] ?? []);
  return (
    <TablePanel
      title="File systems"
      note="the fullest first"
      columns={["Mounted at", "Used %", "Used", "Size", "Left"]}
      rows={rows.map((row) => ({
        key: `${row.mount} ${row.device}`,
        cells: [
          <span key="mount" className={`mono ${styles.cell}`} title={`${row.device} ${row.type}`}>
            {row.mount} <span className="text3">{row.device}</span>
          </span>,
          <span
            key="share"
            className={styles.level}
            data-level={levelOf("fileSystem", row.share) ?? undefined}
          >
            {formatValue(row.share, "percentunit", 1)}
          </span>,
          formatValue(row.used, "bytes"),
          formatValue(row.size, "bytes"),
          formatValue(row.size - row.used, "bytes"),
        ],
      }))}
      pending={pending}
      error={error}
      absent="The agent on this host sends no file systems."
      onRetry={onRetry}
    />
  );
}
