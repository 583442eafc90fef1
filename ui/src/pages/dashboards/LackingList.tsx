import styles from "../../components/Dialog.module.css";
import { byPanel } from "../../lib/dashboard/lacking";
import type { Lacking } from "../../lib/dashboard/model";

/** What of a dashboard is not shown, by panel. */
export function LackingList({ lacking }: { lacking: Lacking[] }) {
  return (
    <dl className={styles.lacking}>
      {byPanel(lacking).map(({ panel, whats }) => (
        <div key={panel ?? ""}>
          <dt>{panel ?? "The dashboard"}</dt>
          {whats.map((what) => (
            <dd key={what}>{what}</dd>
          ))}
        </div>
      ))}
    </dl>
  );
}
