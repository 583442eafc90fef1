import type { ReactNode } from "react";
import styles from "./Drawer.module.css";
import { Icon } from "./Icon";
import { useShortcuts } from "./useShortcuts";

interface DrawerProps {
  title: string;
  /** In the head, before the cross: tags and links. */
  tools?: ReactNode;
  onClose: () => void;
  children: ReactNode;
}

/** 396 px at the right: one of the list, which keeps its place. Esc closes. On a phone it takes the page. */
export function Drawer({ title, tools, onClose, children }: DrawerProps) {
  useShortcuts({ Escape: onClose });
  return (
    <aside className={styles.drawer} aria-label={title}>
      <div className={styles.head}>
        <h2 className={styles.title} title={title}>
          {title}
        </h2>
        <span className="grow" />
        {tools}
        <button
          type="button"
          className="button button-quiet button-icon"
          aria-label="Close"
          title="Close (Esc)"
          onClick={onClose}
        >
          <Icon name="close" small />
        </button>
      </div>
      <section className={styles.body} tabIndex={0} aria-label={`${title}, details`}>
        {children}
      </section>
    </aside>
  );
}

export function DrawerSection({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={styles.section} aria-label={title}>
      <h3>{title}</h3>
      {children}
    </section>
  );
}

/** Names and what they are, in two columns. */
export function Facts({ children }: { children: ReactNode }) {
  return <dl className={styles.facts}>{children}</dl>;
}

export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className={styles.fact}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
