import styles from "./Alerts.module.css";
import { tagsOf } from "./model";

interface LabelTagsProps {
  labels: Record<string, string>;
  limit?: number;
  /** With it each is a button that filters by the label. */
  onFilter?: (name: string, value: string) => void;
}

/** Labels as `name=value`. */
export function LabelTags({ labels, limit, onFilter }: LabelTagsProps) {
  const tags = tagsOf(labels);
  const shown = tags.slice(0, limit);
  return (
    <span className={styles.tags}>
      {shown.map(([name, value]) =>
        onFilter ? (
          <button
            key={name}
            type="button"
            className={`tag ${styles.tag}`}
            title={`Only alerts with ${name}=${value}`}
            onClick={(event) => {
              event.stopPropagation();
              onFilter(name, value);
            }}
          >
            {name}={value}
          </button>
        ) : (
          <span key={name} className={`tag ${styles.tag}`} title={`${name}=${value}`}>
            {name}={value}
          </span>
        ),
      )}
      {shown.length < tags.length && (
        <span className="text3 small">and {tags.length - shown.length} more</span>
      )}
    </span>
  );
}
