import styles from "./CodeBlock.module.css";
import { CopyButton } from "./CopyButton";

interface CodeBlockProps {
  code: string;
  label: string;
}

const parts = /(#[^\n]*|--[a-z-]+|\bOTEL_[A-Z_]+)/g;

/** A command to copy. Comments, flags and OTEL_ variables are coloured; the text is copied as it stands. */
export function CodeBlock({ code, label }: CodeBlockProps) {
  return (
    <figure className={styles.block} aria-label={label}>
      <pre className={styles.code} tabIndex={0}>
        {code.split(parts).map((text, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the parts never reorder
          <span key={index} className={classOf(text)}>
            {text}
          </span>
        ))}
      </pre>
      <CopyButton text={code} label="Copy" className={`button button-quiet button-small ${styles.copy}`} />
    </figure>
  );
}

function classOf(text: string): string | undefined {
  if (text.startsWith("#")) return styles.comment;
  return text.startsWith("--") || text.startsWith("OTEL_") ? styles.name : undefined;
}
