import type { Problem } from "../api/rules";
import { plural } from "../lib/number";
import { sentence } from "../lib/words";
import styles from "./ConfigProblems.module.css";
import { Icon } from "./Icon";

interface ConfigProblemsProps {
  file: string;
  problems: Problem[];
  /** What runs in place of the file. */
  consequence: string;
}

/** What keeps a file from being loaded, by line and column. */
export function ConfigProblems({ file, problems, consequence }: ConfigProblemsProps) {
  if (problems.length === 0) return null;
  return (
    <section className={`panel ${styles.panel}`} aria-label={`Problems of ${file}`}>
      <h2>
        <Icon name="alert" />
        <span>
          <code>{file}</code> has {plural(problems.length, "problem")}
        </span>
      </h2>
      <p>{consequence}</p>
      <ul className={styles.list}>
        {problems.map(({ line, column, message }) => (
          <li key={`${line}:${column} ${message}`}>
            <code>
              {line}:{column}
            </code>
            <span>{sentence(message)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
