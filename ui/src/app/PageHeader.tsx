import { type ReactNode, useEffect } from "react";
import styles from "./PageHeader.module.css";
import { PaletteButton } from "./palette/PaletteButton";
import { TenantChooser } from "./TenantChooser";

interface PageHeaderProps {
  title: string;
  /** Beside the title: what the page is a view of. */
  lead?: ReactNode;
  children?: ReactNode;
}

/** 48 px above every page: where one is, and at the right end the page's time range and refresh. */
export function PageHeader({ title, lead, children }: PageHeaderProps) {
  useEffect(() => {
    document.title = `${title} – Narrows`;
  }, [title]);
  return (
    <header className={styles.header}>
      <h1 className={styles.title}>{title}</h1>
      {lead}
      <div className="grow" />
      <PaletteButton />
      <TenantChooser />
      {children}
    </header>
  );
}
