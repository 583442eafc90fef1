import { templateParts } from "./arrange";
import styles from "./Template.module.css";

/** A pattern as text: placeholders stand out by colour and by their brackets. */
export function Template({ template }: { template: string }) {
  return templateParts(template).map(({ text, slot }, index) =>
    slot === null ? (
      text
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: the parts never reorder
      <span key={index} className={styles.slot} data-kind={text.slice(1, -1)}>
        {text}
      </span>
    ),
  );
}
