import { type ReactNode, useEffect, useRef } from "react";
import { Icon } from "../Icon";
import styles from "./Facets.module.css";

interface FacetsDrawerProps {
  opened: boolean;
  onClose: () => void;
  children: ReactNode;
}

/** The facets over the page, where it is too narrow to have them beside the rows. */
export function FacetsDrawer({ opened, onClose, children }: FacetsDrawerProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (opened) dialog.current?.showModal();
    else dialog.current?.close();
  }, [opened]);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Esc and the button close it, too
    <dialog
      ref={dialog}
      className={`${styles.drawer} floating`}
      aria-labelledby="facets-title"
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && onClose()}
    >
      <div className={styles.drawerHead}>
        <h2 id="facets-title">Facets</h2>
        <button
          type="button"
          className="button button-quiet button-icon"
          aria-label="Close"
          onClick={onClose}
        >
          <Icon name="close" small />
        </button>
      </div>
      {opened && children}
    </dialog>
  );
}
