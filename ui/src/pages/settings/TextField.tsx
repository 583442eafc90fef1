import { useId } from "react";
import styles from "./Settings.module.css";

interface TextFieldProps {
  label: string;
  value: string;
  maxLength: number;
  placeholder?: string;
  problem: string | null;
  onChange: (value: string) => void;
}

/** A line of text, and below it what is wrong with it. */
export function TextField({ label, value, maxLength, placeholder, problem, onChange }: TextFieldProps) {
  const id = useId();
  return (
    <div className={styles.label}>
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className="field"
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        maxLength={maxLength}
        placeholder={placeholder}
        value={value}
        aria-invalid={problem !== null}
        aria-describedby={`${id}-note`}
        onChange={(event) => onChange(event.target.value)}
      />
      <span id={`${id}-note`} className={styles.error}>
        {problem}
      </span>
    </div>
  );
}
