import { Link } from "@tanstack/react-router";
import { encodeTimeView, type TimeView } from "../../lib/time/view";
import styles from "./Services.module.css";

/** The same services as a map and as a list; the time stays. */
export function ServicesTabs({ shown, view }: { shown: "map" | "list"; view: TimeView }) {
  const search = encodeTimeView(view);
  return (
    <nav className={styles.tabs} aria-label="Services as">
      <Link to="/services/map" search={search} aria-current={shown === "map" ? "page" : undefined}>
        Map
      </Link>
      <Link
        to="/services"
        search={search}
        activeOptions={{ exact: true }}
        aria-current={shown === "list" ? "page" : undefined}
      >
        List
      </Link>
    </nav>
  );
}
