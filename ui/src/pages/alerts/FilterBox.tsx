import { useEffect, useId, useState } from "react";
import { FindField } from "../../components/FindField";
import { parseMatchers } from "../../lib/matchers";
import styles from "./Alerts.module.css";

interface FilterBoxProps {
  filter: string;
  /** With what can be read only. */
  onFilter: (filter: string) => void;
}

/** Matchers as Alertmanager writes them. What is wrong is said below, and shown in its place. */
export function FilterBox({ filter, onFilter }: FilterBoxProps) {
  const [text, setText] = useState(filter);
  useEffect(() => setText(filter), [filter]);
  const { fault } = parseMatchers(text);
  const id = useId();
  const change = (next: string) => {
    setText(next);
    if (parseMatchers(next).fault === null) onFilter(next.trim());
  };
  return (
    <div className={styles.filterBox}>
      <FindField
        label="Filter by labels"
        placeholder={'service="checkout", severity=~"critical|warning"'}
        size="wide"
        text={text}
        onText={change}
        input={{
          className: "mono",
          autoCapitalize: "none",
          "aria-invalid": fault !== null,
          "aria-describedby": `${id}-fault`,
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
