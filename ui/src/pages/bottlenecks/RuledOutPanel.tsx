import { useState } from "react";
import type { Verdict } from "../../api/bottlenecks";
import { Icon } from "../../components/Icon";
import { plural } from "../../lib/number";
import panel from "./Panel.module.css";
import styles from "./RuledOutPanel.module.css";

const shownRows = 6;

/** Causes that were looked at and are none, each with its number. */
export function RuledOutPanel({ verdict: { ruled_out } }: { verdict: Verdict }) {
  const [all, setAll] = useState(false);
  // One line that says "1 more" takes as much room as the one more.
  const limit = ruled_out.length === shownRows + 1 ? shownRows + 1 : shownRows;
  const shown = all ? ruled_out : ruled_out.slice(0, limit);
  return (
    <section className={`panel ${panel.panel}`} aria-label="Ruled out">
      <div className={panel.head}>
        <h3>Ruled out</h3>
        {ruled_out.length > 0 && (
          <span className="text3 small">{plural(ruled_out.length, "cause")} checked</span>
        )}
      </div>
      {ruled_out.length === 0 ? (
        <p className={panel.none}>No other cause could be checked with what was seen.</p>
      ) : (
        <ul className={styles.list}>
          {shown.map(({ what, why }) => (
            <li key={`${what} ${why}`} className={styles.one}>
              <Icon name="inhibited" small />
              <span className={styles.what} title={what}>
                {what}
              </span>
              <span className={styles.why} title={why}>
                {why}
              </span>
            </li>
          ))}
        </ul>
      )}
      {ruled_out.length > limit && (
        <p className={panel.more}>
          <button type="button" className="link" aria-expanded={all} onClick={() => setAll(!all)}>
            {all ? "Show fewer" : `${ruled_out.length - limit} more`}
          </button>
        </p>
      )}
    </section>
  );
}
