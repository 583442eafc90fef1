import { type Ref, useEffect, useId, useState } from "react";
import { parseMatchers } from "../../lib/matchers";
import styles from "./Alerts.module.css";

interface FilterBoxProps {
  inputRef: Ref<HTMLInputElement>;
  filter: string;
  /** With what can be read only. */
  onFilter: (filter: string) => void;
}

/** Matchers as Alertmanager writes them. What is wrong is said below, and shown in its place. */
export function FilterBox({ inputRef, filter, onFilter }: FilterBoxProps) {
  const [text, setText] = useState(filter);
  useEffect(() => setText(filter), [filter]);
  const { fault } = parseMatchers(text);
  const id = useId();
  return (
    <div className={styles.filterBox}>
      <input
        ref={inputRef}
        className="field mono"
        type="search"
        aria-label="Filter by labels"
        placeholder={'service="checkout", severity=~"critical|warning"'}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        value={text}
        aria-invalid={fault !== null}
        aria-describedby={`${id}-fault`}
        onChange={(event) => {
          setText(event.target.value);
          if (parseMatchers(event.target.value).fault === null) onFilter(event.target.value.trim());
        }}
      />
      <p id={`${id}-fault`} className={styles.fault} aria-live="polite">
        {fault && (
          <>
            {fault.message}.{" "}
            <code>
              {text.slice(0, fault.start)}
              <mark>{text.slice(fault.start, fault.end) || "\u00a0"}</mark>
              {text.slice(fault.end)}
            </code>
          </>
        )}
      </p>
    </div>
  );
}
