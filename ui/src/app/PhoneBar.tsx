import { useState } from "react";
import { Icon } from "../components/Icon";
import { MoreSheet } from "./MoreSheet";
import { PageLink } from "./PageLink";
import { phonePages } from "./pages";
import styles from "./Rail.module.css";
import { useBadges } from "./useBadges";

/** At the bottom of a phone: four pages, and under "More" all others. */
export function PhoneBar({ onHelp }: { onHelp: () => void }) {
  const badges = useBadges();
  const [more, setMore] = useState(false);
  return (
    <nav className={styles.bar} aria-label="Pages">
      {phonePages.map((page) => (
        <PageLink key={page.to} page={page} badge={badges[page.to]} />
      ))}
      <button
        type="button"
        className={styles.item}
        aria-haspopup="dialog"
        aria-expanded={more}
        onClick={() => setMore(true)}
      >
        <Icon name="menu" />
        <span className={styles.label}>More</span>
      </button>
      {more && <MoreSheet onClose={() => setMore(false)} onHelp={onHelp} />}
    </nav>
  );
}
