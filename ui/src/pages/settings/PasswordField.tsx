import { useId, useState } from "react";
import styles from "./Settings.module.css";

interface PasswordFieldProps {
  label: string;
  value: string;
  /** `new-password` lets the browser propose one. */
  autoComplete: "new-password" | "current-password";
  problem: string | null;
  hint?: string;
  onChange: (value: string) => void;
}

/** A password, which can be looked at. */
export function PasswordField({ label, value, autoComplete, problem, hint, onChange }: PasswordFieldProps) {
  const [shown, setShown] = useState(false);
  const id = useId();
  return (
    <div className={styles.label}>
      <label htmlFor={id}>{label}</label>
      <span className={styles.password}>
        <input
          id={id}
          className="field"
          type={shown ? "text" : "password"}
          autoComplete={autoComplete}
          spellCheck={false}
          value={value}
          aria-invalid={problem !== null}
          aria-describedby={`${id}-note`}
          onChange={(event) => onChange(event.target.value)}
        />
        <button
          type="button"
          className="button button-quiet button-small"
          aria-pressed={shown}
          aria-label={`Show ${label.toLowerCase()}`}
          onClick={() => setShown(!shown)}
        >
          {shown ? "Hide" : "Show"}
        </button>
      </span>
      <span id={`${id}-note`} className={problem ? styles.error : styles.hint}>
        {problem ?? hint}
      </span>
    </div>
  );
}
