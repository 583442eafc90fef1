import { Link, useRouterState } from "@tanstack/react-router";
import { Icon } from "../components/Icon";
import type { AppPage } from "./pages";
import styles from "./Rail.module.css";
import type { Badge } from "./useBadges";

interface PageLinkProps {
  page: AppPage;
  /** How much of what it lists calls for somebody. */
  badge: Badge | undefined;
  title?: string | undefined;
  onClick?: () => void;
}

/** One entry of the rail, of the phone's bar or of its sheet. */
export function PageLink({ page, badge, title, onClick }: PageLinkProps) {
  const path = useRouterState({ select: ({ location }) => location.pathname });
  return (
    <Link
      to={page.to}
      className={styles.item}
      activeProps={{}}
      activeOptions={{ exact: true }}
      aria-current={isShown(page, path) ? "page" : undefined}
      title={title}
      onClick={onClick}
    >
      <span className={styles.sign}>
        <Icon name={page.icon} />
      </span>
      <span className={styles.label}>{page.label}</span>
      {badge && (
        <span className={styles.badge} data-accent={badge.accent || undefined}>
          {badge.count > 99 ? "99+" : badge.count}
          <span className="visually-hidden"> {badge.word}</span>
        </span>
      )}
    </Link>
  );
}

/** A page stands for everything below its address; Settings also for the health of Narrows. */
function isShown({ to }: AppPage, path: string): boolean {
  if (to === "/") return path === "/";
  if (to === "/settings" && path === "/status") return true;
  return path === to || path.startsWith(`${to}/`) || (to === "/dashboards" && path.startsWith("/d/"));
}
