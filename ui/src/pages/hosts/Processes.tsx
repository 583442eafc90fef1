import type { Span } from "../../lib/time/range";
import { formatValue } from "../../lib/units";
import styles from "./HostPage.module.css";
import { hostTables } from "./queries";
import { TablePanel } from "./TablePanel";
import { processRows } from "./tables";
import { useTable } from "./useTable";

interface ProcessesProps {
  host: string;
  span: Span;
  generation: number;
  onRetry: () => void;
}

export function Processes({ host, span, generation, onRetry }: ProcessesProps) {
  const queries = hostTables(host);
  const { answers, pending, error } = useTable([queries.processCpu, queries.processMemory], span, generation);
  const rows = processRows(answers[0] ?? [], answers[1] ?? []);
  return (
    <TablePanel
      title="Top processes"
      note="by CPU, over 5 min"
      columns={["Process", "Cores", "Memory", "Id"]}
      rows={rows.map((row) => ({
        key: `${row.name} ${row.pid}`,
        cells: [
          <span key="name" className={`mono ${styles.cell}`} title={row.name}>
            {row.name}
          </span>,
          formatValue(row.cpu, "none", 2),
          formatValue(row.memory, "bytes"),
          row.pid,
        ],
      }))}
      pending={pending}
      error={error}
      absent="The agent on this host sends no processes."
      onRetry={onRetry}
    />
  );
}
