import { Popover } from "@mantine/core";
import { useState } from "react";
import styles from "./QueryHelp.module.css";

const examples: [query: string, finds: string][] = [
  ["timeout", "the word in the body; upper and lower case are the same"],
  ['"connection refused"', "the words side by side"],
  ["'Connection Refused'", "the same with its case"],
  ["conn* 10.0.?.5", "* is any run of characters, ? is one"],
  ['body=~"retry [3-9]"', "a regular expression; also of a field, and !~ for its opposite"],
  ["service:checkout", "a field with exactly this value"],
  ["service:in(catalog, checkout)", "one of several values"],
  ["severity>=error", "error and fatal"],
  ["http.status_code:[500 TO 599]", "a range with both ends; { } leaves the ends out"],
  ["duration_ms>250 took>1.5s", "numbers, durations and sizes compare by what they mean"],
  ["trace_id:*", "the field is there"],
  ["error -healthcheck", "without the second word; also NOT"],
  ["(timeout OR refused) host:app-1", "AND is implied; parentheses group"],
  ["* | top 10 service", "the most frequent values"],
  ["severity>=error | stats count() by (service, bin(1m))", "counts by field and minute"],
  ["* | stats p95(duration_ms) as slow by service | sort by slow desc", "measures, and their order"],
  ["severity>=error | fields service, http.route, body", "chosen columns"],
];

/** The query language on one card; an example runs by a click. */
export function QueryHelp({ onExample }: { onExample: (query: string) => void }) {
  const [open, setOpen] = useState(false);
  return (
    <Popover
      opened={open}
      onChange={setOpen}
      position="bottom-end"
      offset={8}
      trapFocus
      returnFocus
      classNames={{ dropdown: "floating" }}
      transitionProps={{ duration: 0 }}
    >
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
          <p className={styles.note}>
            Fields: severity, service, host, body, trace_id, span_id, scope, event_name, attributes.x,
            resource.x. Any other name is looked up in the attributes, then in the resource.
          </p>
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}
