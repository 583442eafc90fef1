import type { Problem } from "../api/rules";
import { plural } from "../lib/number";
import { sentence } from "../lib/words";
import styles from "./ConfigProblems.module.css";
import { Icon } from "./Icon";

interface ConfigProblemsProps {
  file: string;
  problems: Problem[];
  /** What follows from them. */
  consequence: string;
  /** A problem keeps the file from being loaded; of what is noted the file is right. */
  kind?: "problem" | "note";
}

/** What is wrong with a file, or without effect in it, by line and column. */
export function ConfigProblems({ file, problems, consequence, kind = "problem" }: ConfigProblemsProps) {
  if (problems.length === 0) return null;
  const label = kind === "problem" ? "Problems" : "Notes";
  return (
    <section className={`panel ${styles.panel}`} data-kind={kind} aria-label={`${label} of ${file}`}>
      <h2>
        <Icon name={kind === "problem" ? "alert" : "warning"} />
        <span>
          <code>{file}</code> has {plural(problems.length, kind)}
        </span>
      </h2>
      <p>{consequence}</p>
      <ul className={styles.list}>
        {problems.map(({ line, column, message }) => (
          <li key={`${line}:${column} ${message}`}>
            <code>{line === null ? "–" : `${line}:${column ?? 1}`}</code>
            <span>{sentence(message)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
