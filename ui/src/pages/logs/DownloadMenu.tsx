import { type ExportFormat, exportAddress, exportLimit } from "../../api/export";
import type { Order } from "../../api/logs";
import { ChoiceLabel, Choices } from "../../components/Choices";
import choices from "../../components/Choices.module.css";
import { Icon } from "../../components/Icon";
import { formatExact } from "../../lib/number";
import { bounds, queryText } from "../../lib/query/question";
import type { Span } from "../../lib/time/range";
import styles from "./DownloadMenu.module.css";

interface DownloadMenuProps {
  query: string;
  span: Span;
  order: Order;
  /** Is the answer a table? Then the file is one, too. */
  table: boolean;
  /** Further columns of the CSV. */
  fields?: string[];
}

const formats: [format: ExportFormat, name: string, what: string][] = [
  ["ndjson", "NDJSON", "every field, one record per line"],
  ["csv", "CSV", "time, severity, service, host, body"],
];

/** The answer to the query as a file. */
export function DownloadMenu({ query, span, order, table, fields = [] }: DownloadMenuProps) {
  const request = { query: queryText(query), ...bounds(span), order, limit: exportLimit };
  return (
    <Choices
      label="Download"
      position="bottom-end"
      button={(toggle) => (
        <button type="button" className="button button-quiet button-small" onClick={toggle}>
          <Icon name="download" small />
          <span className={styles.word}>Download</span>
        </button>
      )}
    >
      {(close) => (
        <>
          <ChoiceLabel>
            {table ? "The table" : `The records, at most ${formatExact(exportLimit)}`}
          </ChoiceLabel>
          {formats.map(([format, name, what]) => (
            <a
              key={format}
              className={`${choices.choice} ${styles.format}`}
              href={exportAddress({
                ...request,
                format,
                fields: format === "csv" && fields.length > 0 ? fields.join(",") : undefined,
              })}
              download
              onClick={close}
            >
              {name}
              {!table && <span className="text3 small">{what}</span>}
            </a>
          ))}
        </>
      )}
    </Choices>
  );
}
