import { useMediaQuery } from "@mantine/hooks";
import { Link } from "@tanstack/react-router";
import { Icon, type IconName, Logo } from "../components/Icon";
import { usePreferences } from "../components/usePreferences";
import { useShortcuts } from "../components/useShortcuts";
import { writePreferences } from "../lib/preferences";
import { AccountMenu } from "./AccountMenu";
import { setPaletteOpen } from "./palette/store";
import styles from "./Rail.module.css";

interface RailPage {
  to: "/services" | "/traces" | "/logs" | "/explore" | "/hosts" | "/dashboards" | "/status";
  icon: IconName;
  label: string;
  /** Not in the phone's bar, which has room for few; the palette has it. */
  wideOnly?: boolean;
}

const pages: RailPage[] = [
  { to: "/services", icon: "services", label: "Services", wideOnly: true },
  { to: "/traces", icon: "traces", label: "Traces", wideOnly: true },
  { to: "/logs", icon: "logs", label: "Logs" },
  { to: "/explore", icon: "metrics", label: "Metrics" },
  { to: "/hosts", icon: "hosts", label: "Hosts" },
  { to: "/dashboards", icon: "dashboards", label: "Dashboards" },
  { to: "/status", icon: "status", label: "Status", wideOnly: true },
];

/** The pages that exist. Icons only below 1680 px unless `[` says otherwise; a bottom bar on phones. */
export function Rail({ onHelp }: { onHelp: () => void }) {
  const { railOpen } = usePreferences();
  const wide = useMediaQuery("(min-width: 1680px)", window.innerWidth >= 1680);
  const open = railOpen ?? wide;
  useShortcuts({ "[": () => writePreferences({ railOpen: !open }) });
  return (
    <nav className={styles.rail} data-open={open} aria-label="Pages">
      <Link to="/logs" className={styles.brand} aria-label="Narrows">
        <Logo />
        <span className={styles.label}>Narrows</span>
      </Link>
      {pages.map((page) => (
        <Link
          key={page.to}
          to={page.to}
          className={styles.item}
          data-wide-only={page.wideOnly}
          title={open ? undefined : page.label}
        >
          <Icon name={page.icon} />
          <span className={styles.label}>{page.label}</span>
        </Link>
      ))}
      <button
        type="button"
        className={`${styles.item} ${styles.search}`}
        onClick={() => setPaletteOpen(true)}
      >
        <Icon name="search" />
        <span className={styles.label}>Search</span>
      </button>
      <div className={styles.foot}>
        <AccountMenu open={open} onHelp={onHelp} itemClass={styles.item} labelClass={styles.label} />
      </div>
    </nav>
  );
}
