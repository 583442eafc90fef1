import { useState } from "react";
import type { CohortRow, Stored } from "../../api/bottlenecks";
import { formatShare } from "../../lib/number";
import type { Zone } from "../../lib/time/zone";
import styles from "./CohortPanel.module.css";
import { cohortQuery, rowKey } from "./cohort";
import { EvidenceLink } from "./EvidenceLink";
import panel from "./Panel.module.css";

const shownRows = 4;

/** What slow or failed requests (or messages) have in common, and the others have not. */
export function CohortPanel({ stored, zone }: { stored: Stored; zone: Zone }) {
  const { cohort, symptom, data_quality } = stored.verdict;
  const [all, setAll] = useState(false);
  const bad = symptom.sli === "latency" ? "slow" : "failed";
  const requests = symptom.is_queue ? "messages" : "requests";
  const shown = all ? cohort : cohort.slice(0, shownRows);
  const leastQ = cohort.reduce((most, { q }) => Math.max(most, q), 0);
  return (
    <section className={`panel ${panel.panel}`} aria-label={`What ${bad} ${requests} share`}>
      <div className={panel.head}>
        <h3>
          What {bad} {requests} share
        </h3>
        {cohort.length > 0 && (
          <span className="text3 small" title="The share of such findings that would be chance">
            {bad} against normal ones, q &lt; {leastQ < 0.001 ? "0.001" : leastQ.toPrecision(1)}
          </span>
        )}
      </div>
      {cohort.length === 0 ? (
        <p className={panel.none}>
          {data_quality.traces === 0
            ? "No trace of the time was kept to compare."
            : `No attribute tells ${bad} ${requests} from normal ones.`}
        </p>
      ) : (
        <table className={styles.table}>
          <thead>
            <tr>
              <th scope="col">Attribute</th>
              <th scope="col">Value</th>
              <th scope="col">{symptom.sli === "latency" ? "Slow" : "Failed"}</th>
              <th scope="col">Normal</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr key={rowKey(row)}>
                <td className="mono" title={`${row.service} ${row.attribute}`.trim()}>
                  {row.service !== "" && <span className="text3">{row.service} </span>}
                  {row.attribute}
                </td>
                <td className="mono" title={row.value}>
                  <Value row={row} stored={stored} zone={zone} />
                </td>
                <td>
                  <Share value={row.slow} isBad />
                </td>
                <td>
                  <Share value={row.normal} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {cohort.length > shownRows && (
        <p className={panel.more}>
          <button type="button" className="link" aria-expanded={all} onClick={() => setAll(!all)}>
            {all ? "Show fewer" : `${cohort.length - shownRows} more`}
          </button>
        </p>
      )}
    </section>
  );
}

interface ValueProps {
  row: CohortRow;
  stored: Stored;
  zone: Zone;
}

/** Opens the traces that have it; a comparison is no condition of one value. */
function Value({ row, stored, zone }: ValueProps) {
  const { value } = row;
  const query = cohortQuery(row);
  if (query === null) return value;
  return (
    <EvidenceLink query={query} stored={stored} zone={zone} className={styles.value}>
      {value}
    </EvidenceLink>
  );
}

function Share({ value, isBad = false }: { value: number; isBad?: boolean }) {
  return (
    <span className={styles.share}>
      <span className={styles.track} aria-hidden="true">
        <span data-bad={isBad || undefined} style={{ width: `${Math.min(1, Math.max(0, value)) * 100}%` }} />
      </span>
      <span className="tabular text1">{formatShare(value)}</span>
    </span>
  );
}
