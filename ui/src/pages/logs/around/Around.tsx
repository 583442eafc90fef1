import { useState } from "react";
import type { Same } from "../../../api/context";
import type { LogRecord } from "../../../api/logs";
import type { Term } from "../../../lib/query/terms";
import type { Zone } from "../../../lib/time/zone";
import { sentence } from "../../../lib/words";
import styles from "./Around.module.css";
import { AroundLines } from "./AroundLines";
import { useAround } from "./useAround";

interface AroundProps {
  record: LogRecord;
  zone: Zone;
  terms: Term[];
}

const choices: [same: Same, name: string, title: string][] = [
  ["stream", "Stream", "The same source: resource and log file"],
  ["service", "Service", "The same service"],
  ["host", "Host", "The same host"],
  ["none", "Everything", "Every record of that time"],
];

/** The lines before and after the record, of its stream, its service, its host or of everything. */
export function Around({ record, zone, terms }: AroundProps) {
  const [same, setSame] = useState<Same>("stream");
  const { query, around } = useAround(record, same);
  const absent: Partial<Record<Same, string | null>> = {
    service: record.service === null ? "The record names no service" : null,
    host: record.host === null ? "The record names no host" : null,
  };
  const sameText = Object.entries(around?.same ?? {})
    .map(([field, value]) => `${field} ${value}`)
    .join(", ");
  return (
    <div className={styles.around}>
      <div className={styles.bar}>
        <fieldset className={styles.choices}>
          <legend className="visually-hidden">Lines of the same</legend>
          {choices.map(([name, label, title]) => (
            <button
              key={name}
              type="button"
              className={styles.choice}
              aria-pressed={same === name}
              disabled={Boolean(absent[name])}
              title={absent[name] ?? title}
              onClick={() => setSame(name)}
            >
              {label}
            </button>
          ))}
        </fieldset>
        <p className={styles.same}>{same === "none" ? "every record of that time" : sameText}</p>
      </div>
      {around ? (
        <AroundLines
          key={same}
          around={around}
          record={record}
          zone={zone}
          terms={terms}
          loading={query.isFetchingPreviousPage ? "before" : query.isFetchingNextPage ? "after" : null}
          failed={query.isFetchPreviousPageError ? "before" : query.isFetchNextPageError ? "after" : null}
          onBefore={() => query.fetchPreviousPage()}
          onAfter={() => query.fetchNextPage()}
        />
      ) : query.error ? (
        <div className={styles.failed} role="alert">
          <p>The lines around did not come: {sentence(query.error.message)}</p>
          <button type="button" className="button button-small" onClick={() => query.refetch()}>
            Try again
          </button>
        </div>
      ) : (
        <div className={`skeleton ${styles.loading}`}>
          <span className="visually-hidden" role="status">
            Reading the lines around
          </span>
        </div>
      )}
    </div>
  );
}
