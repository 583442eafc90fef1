import { Popover } from "@mantine/core";
import { useState } from "react";
import { useQueryLanguage } from "./language";
import styles from "./QueryHelp.module.css";

/** The query language on one card; an example runs by a click. */
export function QueryHelp({ onExample }: { onExample: (query: string) => void }) {
  const { examples, note } = useQueryLanguage();
  const [open, setOpen] = useState(false);
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-end" offset={8}>
      <Popover.Target>
        <button
          type="button"
          className={styles.open}
          aria-label="Query language"
          onClick={() => setOpen(!open)}
        >
          <kbd>?</kbd>
        </button>
      </Popover.Target>
      <Popover.Dropdown p={0} aria-label="Query language">
        <div className={styles.card}>
          <h2>Query language</h2>
          <ul className={styles.list}>
            {examples.map(([query, finds]) => (
              <li key={query}>
                <button
                  type="button"
                  className={`${styles.example} mono`}
                  onClick={() => {
                    setOpen(false);
                    onExample(query);
                  }}
                >
                  {query}
                </button>
                <span>{finds}</span>
              </li>
            ))}
          </ul>
          <p className={styles.note}>{note}</p>
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}
