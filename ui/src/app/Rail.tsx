import { useMediaQuery } from "@mantine/hooks";
import { Link } from "@tanstack/react-router";
import { Logo } from "../components/Icon";
import { usePreferences } from "../components/usePreferences";
import { useShortcuts } from "../components/useShortcuts";
import { writePreferences } from "../lib/preferences";
import { AccountMenu } from "./AccountMenu";
import { PageLink } from "./PageLink";
import { type AppPage, appPages } from "./pages";
import styles from "./Rail.module.css";
import { useBadges } from "./useBadges";

/** The pages that exist. Icons only below 1680 px unless `[` says otherwise; phones have a bar instead. */
export function Rail({ onHelp }: { onHelp: () => void }) {
  const { railOpen } = usePreferences();
  const wide = useMediaQuery("(min-width: 1680px)", window.innerWidth >= 1680);
  const open = railOpen ?? wide;
  const badges = useBadges();
  useShortcuts({ "[": () => writePreferences({ railOpen: !open }) });
  const link = (page: AppPage) => (
    <PageLink key={page.to} page={page} badge={badges[page.to]} title={open ? undefined : page.label} />
  );
  return (
    <nav className={styles.rail} data-open={open} aria-label="Pages">
      <Link to="/" className={styles.brand} activeProps={{ "aria-current": undefined }} aria-label="Narrows">
        <Logo />
        <span className={styles.label}>Narrows</span>
      </Link>
      {appPages.filter(({ rail }) => rail === "top").map(link)}
      <div className={styles.foot}>
        {appPages.filter(({ rail }) => rail === "foot").map(link)}
        <AccountMenu open={open} onHelp={onHelp} itemClass={styles.item} labelClass={styles.label} />
      </div>
    </nav>
  );
}
