import type { ReactNode } from "react";
import { Icon, type IconName } from "./Icon";
import styles from "./Message.module.css";

interface MessageProps {
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
  /** `error` is announced at once. */
  kind?: "empty" | "error";
}

/** What a panel says instead of its data: why, and the next step. */
export function Message({ title, children, actions, kind = "empty" }: MessageProps) {
  const icon: IconName | null = kind === "error" ? "alert" : null;
  return (
    <div className={styles.message} role={kind === "error" ? "alert" : undefined}>
      <h2 className={kind === "error" ? styles.error : undefined}>
        {icon && <Icon name={icon} />}
        <span>{title}</span>
      </h2>
      {children && <div className={styles.text}>{children}</div>}
      {actions && <div className={styles.actions}>{actions}</div>}
    </div>
  );
}
