import { type ReactNode, useEffect } from "react";
import styles from "./PageHeader.module.css";

/** 48 px above every page: where one is, and at the right end the page's time range and refresh. */
export function PageHeader({ title, children }: { title: string; children?: ReactNode }) {
  useEffect(() => {
    document.title = `${title} – Narrows`;
  }, [title]);
  return (
    <header className={styles.header}>
      <h1 className={styles.title}>{title}</h1>
      <div className="grow" />
      {children}
    </header>
  );
}
