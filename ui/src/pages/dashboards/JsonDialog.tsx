import { useMemo, useState } from "react";
import { CopyButton } from "../../components/CopyButton";
import { Dialog } from "../../components/Dialog";
import styles from "../../components/Dialog.module.css";
import { checkJson, lineOf } from "../../lib/dashboard/text";
import { sentence } from "../../lib/words";
import { readText } from "./useDashboard";

interface JsonDialogProps {
  title: string;
  text: string;
  /** Null: to be read only. */
  onDone: ((text: string) => void) | null;
  onClose: () => void;
}

/** A dashboard's JSON as it is kept; what is no JSON or no dashboard is not taken over. */
export function JsonDialog({ title, text: before, onDone, onClose }: JsonDialogProps) {
  const [text, setText] = useState(() => readable(before));
  const problem = useMemo(() => problemOf(text), [text]);
  return (
    <Dialog title={title} wide onClose={onClose}>
      <textarea
        className={styles.code}
        aria-label="JSON"
        aria-invalid={problem !== null}
        spellCheck={false}
        readOnly={onDone === null}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      {problem !== null && (
        <p className={styles.error} role="alert">
          {problem}
        </p>
      )}
      <div className={styles.row}>
        {onDone && (
          <button
            type="button"
            className="button button-primary"
            disabled={problem !== null}
            onClick={() => onDone(text)}
          >
            Apply
          </button>
        )}
        <CopyButton text={text} label="Copy" className="button" />
      </div>
    </Dialog>
  );
}

/** In one line nobody can read it. */
function readable(text: string): string {
  const whole = checkJson(text) === null && !/\d{16}/.test(text) && !text.includes("\n");
  return whole ? JSON.stringify(JSON.parse(text), null, 2) : text;
}

export function problemOf(text: string): string | null {
  const bad = checkJson(text);
  if (bad) {
    const { line, column } = lineOf(text, bad.at);
    return `Line ${line}, character ${column}: ${bad.message}.`;
  }
  const { problem } = readText(text);
  return problem === null ? null : sentence(problem);
}
