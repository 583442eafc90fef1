import { useShortcuts } from "../../../components/useShortcuts";
import styles from "./Live.module.css";

interface LiveButtonProps {
  live: boolean;
  onLive: (live: boolean) => void;
}

/** Starts and stops the live tail, also with `L`. */
export function LiveButton({ live, onLive }: LiveButtonProps) {
  const toggle = () => onLive(!live);
  useShortcuts({ "Shift L": toggle, l: toggle });
  return (
    <button
      type="button"
      className={`button button-small ${styles.button}`}
      aria-pressed={live}
      onClick={toggle}
    >
      <span className={styles.dot} data-on={live} aria-hidden="true" />
      <span className={styles.word}>Live tail</span>
      <kbd className={styles.key}>L</kbd>
    </button>
  );
}
