import { Popover } from "@mantine/core";
import { type ReactNode, useState } from "react";
import styles from "./Choices.module.css";
import { Icon } from "./Icon";

interface ChoicesProps {
  /** Names the panel for assistive technology. */
  label: string;
  position: "bottom-start" | "bottom-end" | "right-end" | "top-end";
  /** The button that opens it. */
  button: (toggle: () => void) => ReactNode;
  children: (close: () => void) => ReactNode;
}

/** A small panel of buttons that hangs on a button: choices and actions. */
export function Choices({ label, position, button, children }: ChoicesProps) {
  const [open, setOpen] = useState(false);
  return (
    <Popover opened={open} onChange={setOpen} position={position}>
      <Popover.Target>{button(() => setOpen(!open))}</Popover.Target>
      <Popover.Dropdown p={4} aria-label={label}>
        <div className={styles.list}>{children(() => setOpen(false))}</div>
      </Popover.Dropdown>
    </Popover>
  );
}

interface ChoiceProps {
  /** null: an action, not a choice. */
  chosen: boolean | null;
  onChoose: () => void;
  children: ReactNode;
}

export function Choice({ chosen, onChoose, children }: ChoiceProps) {
  return (
    <button type="button" className={styles.choice} aria-pressed={chosen ?? undefined} onClick={onChoose}>
      {children}
      {chosen && <Icon name="check" small />}
    </button>
  );
}

export function ChoiceLabel({ children }: { children: ReactNode }) {
  return <p className={styles.label}>{children}</p>;
}
