import { Link } from "@tanstack/react-router";
import type { AmAlert } from "../../api/alertmanager";
import { plural } from "../../lib/number";
import { sentence } from "../../lib/words";
import { Icon } from "../Icon";
import { previewWarning } from "./draft";
import styles from "./SilenceForm.module.css";

interface SilencePreviewProps {
  /** Null: not asked yet. */
  matched: AmAlert[] | null;
  all: AmAlert[] | null;
  error: Error | null;
}

const shownLimit = 8;

/** The open alerts that the silence would match at this moment. */
export function SilencePreview({ matched, all, error }: SilencePreviewProps) {
  const warning = matched && all ? previewWarning(matched.length, all.length) : null;
  return (
    <section className={`panel ${styles.preview}`} aria-label="What it matches now">
      <div className={styles.previewHead} aria-live="polite">
        <h2>What it matches now</h2>
        {matched && (
          <span className="text3 small">
            {plural(matched.length, "alert")}
            {all && ` of ${all.length} open`}
          </span>
        )}
      </div>
      {error ? (
        <p className={styles.problem} role="alert">
          {sentence(error.message)}
        </p>
      ) : matched === null ? (
        <p className="text3 small">Name a label and its value to see the alerts.</p>
      ) : (
        <>
          {warning && (
            <p className={styles.warning} role="status">
              <Icon name="warning" small />
              {warning}
            </p>
          )}
          <ul>
            {matched.slice(0, shownLimit).map((alert) => (
              <li key={alert.fingerprint}>
                <PreviewRow alert={alert} />
              </li>
            ))}
          </ul>
          {matched.length > shownLimit && (
            <p className="text3 small">and {matched.length - shownLimit} more</p>
          )}
        </>
      )}
    </section>
  );
}

function PreviewRow({ alert: { fingerprint, labels, status } }: { alert: AmAlert }) {
  const others = Object.entries(labels).filter(([name]) => name !== "alertname");
  return (
    <>
      <Link to="/alerts/$fingerprint" params={{ fingerprint }} className="link">
        {labels.alertname ?? fingerprint}
      </Link>
      {status.silencedBy.length > 0 && <span className="text3 small">silenced already</span>}
      <span className={styles.labels}>
        {others.map(([name, value]) => (
          <span key={name} className="tag">
            {name}={value}
          </span>
        ))}
      </span>
    </>
  );
}
