import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { PageHeader } from "../../app/PageHeader";
import { usePhone } from "../../components/usePhone";
import styles from "./AlertsHeader.module.css";

interface AlertsHeaderProps {
  /** The page's name; one of the four, or of what lies below them. */
  title: string;
  shown: "alerts" | "rules" | "silences" | "receivers";
  /** At the right end: the page's time range, its refresh. */
  children?: ReactNode;
}

const tabs = [
  { name: "alerts", to: "/alerts", label: "Alerts" },
  { name: "rules", to: "/alerts/rules", label: "Rules" },
  { name: "silences", to: "/alerts/silences", label: "Silences" },
  { name: "receivers", to: "/alerts/receivers", label: "Receivers" },
] as const;

/** The header of everything about alerts: the four pages beside the title, on phones below it. */
export function AlertsHeader({ title, shown, children }: AlertsHeaderProps) {
  const phone = usePhone();
  const pages = (
    <nav className={styles.tabs} aria-label="About alerts">
      {tabs.map(({ name, to, label }) => (
        <Link
          key={name}
          to={to}
          activeProps={{}}
          activeOptions={{ exact: true }}
          aria-current={shown === name ? "page" : undefined}
        >
          {label}
        </Link>
      ))}
    </nav>
  );
  return (
    <>
      <PageHeader title={title} lead={phone ? undefined : pages}>
        {children}
      </PageHeader>
      {phone && <div className={styles.below}>{pages}</div>}
    </>
  );
}
