import { sentence } from "../../lib/words";
import styles from "./Overview.module.css";

/** A panel whose answer did not come: why, and how to ask again. */
export function Failed({ error, onRetry }: { error: Error; onRetry: () => void }) {
  return (
    <p className={styles.line} role="alert">
      {sentence(error.message)}{" "}
      <button type="button" className="link" onClick={onRetry}>
        Try again
      </button>
    </p>
  );
}
