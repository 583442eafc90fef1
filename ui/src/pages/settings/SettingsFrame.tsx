import { Link } from "@tanstack/react-router";
import { type ReactNode, useEffect, useRef } from "react";
import { PageHeader } from "../../app/PageHeader";
import { Icon, type IconName } from "../../components/Icon";
import list from "../../components/List.module.css";
import styles from "./Settings.module.css";

interface SettingsFrameProps {
  title: string;
  /** In the header. */
  tools?: ReactNode;
  children: ReactNode;
}

const pages: { to: string; icon: IconName; label: string }[] = [
  { to: "/settings/account", icon: "account", label: "Your account" },
  { to: "/settings/users", icon: "users", label: "Users" },
  { to: "/settings/tokens", icon: "key", label: "API tokens" },
  { to: "/settings/tenants", icon: "tenant", label: "Tenants" },
  { to: "/settings/storage", icon: "database", label: "Storage" },
  { to: "/status", icon: "status", label: "Narrows’ health" },
];

/** Every page of the settings: the others at the left, above on narrow windows. */
export function SettingsFrame({ title, tools, children }: SettingsFrameProps) {
  const nav = useRef<HTMLElement>(null);
  // On a phone the pages are a line that is longer than the window.
  useEffect(() => {
    nav.current
      ?.querySelector('[aria-current="page"]')
      ?.scrollIntoView({ block: "nearest", inline: "center" });
  }, []);
  return (
    <>
      <PageHeader title={title}>{tools}</PageHeader>
      <div className={styles.frame}>
        <nav ref={nav} className={styles.nav} aria-label="Settings">
          {pages.map(({ to, icon, label }) => (
            <Link key={to} to={to} className={styles.entry}>
              <Icon name={icon} small />
              {label}
            </Link>
          ))}
        </nav>
        <main className={list.page}>{children}</main>
      </div>
    </>
  );
}
