import { Icon } from "../../components/Icon";
import styles from "./PaletteButton.module.css";
import { setPaletteOpen } from "./store";

/** In the header of every page: where `Ctrl K` leads by a click. */
export function PaletteButton() {
  return (
    <button type="button" className={styles.open} aria-haspopup="dialog" onClick={() => setPaletteOpen(true)}>
      <Icon name="search" small />
      <span className={styles.words}>Go to or search</span>
      <kbd className={styles.key}>Ctrl K</kbd>
    </button>
  );
}
