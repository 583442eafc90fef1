import { Link } from "@tanstack/react-router";
import { Icon } from "../../components/Icon";
import styles from "./Alerts.module.css";

/** Back to the list. */
export function Crumb() {
  return (
    <Link to="/alerts" className={styles.crumb} aria-label="All alerts">
      <Icon name="alert" small />
      <span className={styles.crumbText}>All alerts</span>
    </Link>
  );
}
