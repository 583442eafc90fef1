import { useDebouncedCallback } from "@mantine/hooks";
import { type KeyboardEvent, type RefObject, useEffect, useState } from "react";
import { Icon } from "../../../components/Icon";
import { formatCount } from "../../../lib/number";
import styles from "./TracePage.module.css";

interface FindBarProps {
  ref: RefObject<HTMLInputElement | null>;
  find: string;
  /** How many spans were found, and at which of them one stands; -1: at none. */
  count: number;
  at: number;
  /** `goes`: to the first one at once. */
  onFind: (find: string, goes: boolean) => void;
  onStep: (by: 1 | -1) => void;
}

const settleMs = 150;

/** Search in the trace: `/` comes here, Enter goes to the next span, Shift and Enter to the one before. */
export function FindBar({ ref, find, count, at, onFind, onStep }: FindBarProps) {
  const [text, setText] = useState(find);
  useEffect(() => setText(find), [find]);
  const settle = useDebouncedCallback((typed: string) => onFind(typed, false), settleMs);
  const onKey = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === "Escape") {
      if (text === "") event.currentTarget.blur();
      setText("");
      onFind("", false);
    } else if (event.key === "Enter") {
      settle.cancel();
      if (text !== find) onFind(text, true);
      else onStep(event.shiftKey ? -1 : 1);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <search className={styles.find}>
      <span className={styles.findBox}>
        <Icon name="search" small />
        <input
          ref={ref}
          className={styles.findInput}
          aria-label="Find in the trace"
          aria-keyshortcuts="/"
          placeholder="Find a span"
          title="By service, operation, host or span id; error finds what failed"
          autoComplete="off"
          spellCheck={false}
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            settle(event.target.value);
          }}
          onKeyDown={onKey}
        />
        <span className={styles.findCount} role="status">
          {find !== "" &&
            (count === 0 ? "none" : `${at < 0 ? "–" : formatCount(at + 1)} of ${formatCount(count)}`)}
        </span>
      </span>
      <button
        type="button"
        className="button button-quiet button-icon"
        aria-label="Previous span found"
        disabled={count === 0}
        title="Previous (N)"
        onClick={() => onStep(-1)}
      >
        <span className={styles.up}>
          <Icon name="down" small />
        </span>
      </button>
      <button
        type="button"
        className="button button-quiet button-icon"
        aria-label="Next span found"
        disabled={count === 0}
        title="Next (n)"
        onClick={() => onStep(1)}
      >
        <Icon name="down" small />
      </button>
    </search>
  );
}
