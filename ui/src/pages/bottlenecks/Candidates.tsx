import type { Verdict } from "../../api/bottlenecks";
import { formatShare } from "../../lib/number";
import type { Zone } from "../../lib/time/zone";
import styles from "./Candidates.module.css";
import { addedOf, amountText, entityText, kindText } from "./model";
import panel from "./Panel.module.css";
import { PathStrip } from "./PathStrip";

/** Nobody explains a quarter of it: who explains most, in place of a culprit. */
export function Candidates({ verdict, zone }: { verdict: Verdict; zone: Zone }) {
  const { contributors, symptom, path } = verdict;
  return (
    <div className={styles.parts}>
      <section className={`panel ${panel.panel} ${styles.candidates}`} aria-label="Candidates">
        <div className={panel.head}>
          <h3>Candidates</h3>
          <span className="text3 small">
            none explains 25&nbsp;% of {amountText(addedOf(symptom), symptom.sli)}
          </span>
        </div>
        {contributors.length === 0 ? (
          <p className={panel.none}>No service, call or resource got worse together with it.</p>
        ) : (
          <ul className={styles.list}>
            {contributors.map((one) => (
              <li key={`${one.entity.type} ${entityText(one.entity)} ${one.kind}`} className={styles.one}>
                <span className={styles.name}>{entityText(one.entity)}</span>
                <span className="text3">{kindText(one)}</span>
                <span className={styles.track} aria-hidden="true">
                  <span style={{ width: `${Math.min(1, Math.max(0, one.coverage)) * 100}%` }} />
                </span>
                <span className="tabular text1">{amountText(one.contribution, symptom.sli)}</span>
                <span className="tabular text3">{formatShare(one.coverage)}</span>
              </li>
            ))}
          </ul>
        )}
      </section>
      {path.length > 1 && <PathStrip verdict={verdict} zone={zone} />}
    </div>
  );
}
