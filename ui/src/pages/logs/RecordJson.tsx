import { useState } from "react";
import type { LogRecord } from "../../api/logs";
import { formatCount } from "../../lib/number";
import styles from "./RecordJson.module.css";

const textLimit = 20_000;

/** The record as the API sends it. */
export function RecordJson({ record }: { record: LogRecord }) {
  const [whole, setWhole] = useState(false);
  const text = JSON.stringify(record, null, 2);
  const cut = !whole && text.length > textLimit;
  return (
    <section className={styles.json} tabIndex={0} aria-label="Record as JSON">
      <pre>{cut ? text.slice(0, textLimit) : text}</pre>
      {cut && (
        <button type="button" className="link" onClick={() => setWhole(true)}>
          show all {formatCount(text.length)} characters
        </button>
      )}
    </section>
  );
}
