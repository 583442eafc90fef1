import type { RouteLine } from "./model";
import styles from "./Receivers.module.css";

/** Routes as an indented list. Above each other's indent stands what an alert has passed before. */
export function RouteTree({ lines, flat = false }: { lines: RouteLine[]; flat?: boolean }) {
  return (
    <ul className={styles.tree}>
      {lines.map(({ key, depth, route, timings }) => (
        <li
          key={key}
          style={{ paddingLeft: `${12 + (flat ? 0 : depth * 20)}px` }}
          data-depth={flat ? 0 : depth}
        >
          <span className={styles.matchers}>
            {route.matchers.length === 0 ? (
              <span className="text3">{depth === 0 ? "every alert" : "whatever comes here"}</span>
            ) : (
              route.matchers.map((matcher) => (
                <span key={matcher} className="tag mono">
                  {matcher}
                </span>
              ))
            )}
            {!flat && (
              <>
                <span className="text3">to</span>
                <span className={styles.receiver}>{route.receiver}</span>
              </>
            )}
            {route.continue && <span className="tag">and goes on</span>}
          </span>
          {timings.length > 0 && <span className={styles.timings}>{timings.join(", ")}</span>}
        </li>
      ))}
    </ul>
  );
}
