import { type MantineColorScheme, useMantineColorScheme } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { Icon, type IconName } from "../components/Icon";
import styles from "./MoreSheet.module.css";
import { morePages } from "./pages";
import { setPaletteOpen } from "./palette/store";
import { useSession, useSignOut } from "./session";
import { TenantChoices } from "./TenantChooser";

interface MoreSheetProps {
  onClose: () => void;
  onHelp: () => void;
}

const schemes: [value: MantineColorScheme, label: string][] = [
  ["dark", "Dark"],
  ["light", "Light"],
  ["auto", "System"],
];

/** Everything that the phone's bar has no room for: pages, the search, the account. */
export function MoreSheet({ onClose, onHelp }: MoreSheetProps) {
  const session = useSession();
  const signOut = useSignOut();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => shown?.close();
  }, []);
  const then = (act: () => void) => () => {
    onClose();
    act();
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Esc closes a dialog by itself
    <dialog
      ref={dialog}
      className={`${styles.sheet} floating`}
      aria-label="More"
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && onClose()}
    >
      <div className={styles.body}>
        <div className={styles.head}>
          <h2>More</h2>
          <button
            type="button"
            className="button button-quiet button-icon"
            aria-label="Close"
            onClick={onClose}
          >
            <Icon name="close" small />
          </button>
        </div>
        <Action icon="search" label="Search" onClick={then(() => setPaletteOpen(true))} />
        <ul className={styles.pages}>
          {morePages.map((page) => (
            <li key={page.to}>
              <Link to={page.to} className={styles.entry} activeOptions={{ exact: true }} onClick={onClose}>
                <Icon name={page.icon} />
                {page.label}
              </Link>
            </li>
          ))}
        </ul>
        <p className={styles.who}>
          {session.user}, {session.role} of tenant {session.tenant}
        </p>
        <TenantChoices className={styles.entry} onChosen={onClose} />
        <fieldset className={styles.schemes} aria-label="Colours">
          {schemes.map(([value, label]) => (
            <button
              key={value}
              type="button"
              className="button"
              aria-pressed={colorScheme === value}
              onClick={() => setColorScheme(value)}
            >
              {label}
            </button>
          ))}
        </fieldset>
        <Action icon="lines" label="Keyboard" onClick={then(onHelp)} />
        <Action icon="external" label="Sign out" onClick={() => void signOut()} />
      </div>
    </dialog>
  );
}

function Action({ icon, label, onClick }: { icon: IconName; label: string; onClick: () => void }) {
  return (
    <button type="button" className={styles.entry} onClick={onClick}>
      <Icon name={icon} />
      {label}
    </button>
  );
}
