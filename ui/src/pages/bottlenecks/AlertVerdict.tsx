import { Link } from "@tanstack/react-router";
import type { Alert } from "../../api/alerts";
import type { Stored } from "../../api/bottlenecks";
import { Icon } from "../../components/Icon";
import type { Zone } from "../../lib/time/zone";
import styles from "./AlertVerdict.module.css";
import { matchAlert, verdictIdOf } from "./match";
import { addedOf, amountText, culpritPlace } from "./model";
import panel from "./Panel.module.css";
import { ConfidenceBars, Headline } from "./parts";
import { encodeVerdictView, plainVerdict } from "./url";
import { useOpenVerdicts } from "./useVerdicts";

interface AlertVerdictProps {
  alert: Alert;
  service: string | null;
  zone: Zone;
}

/** Where the bottleneck is that the alert is about, one click from the whole of it. */
export function AlertVerdict({ alert, service, zone }: AlertVerdictProps) {
  const { data } = useOpenVerdicts();
  const stored = alert.state === "resolved" ? null : matchAlert(data ?? [], alert, service);
  const id = verdictIdOf(alert);
  if (stored) return <Matched stored={stored} zone={zone} />;
  if (id === null) return null;
  // It is over by now, or older than the list of those that are open.
  return (
    <section className={`panel ${panel.panel}`} aria-label="Bottleneck">
      <div className={panel.head}>
        <Icon name="bottleneck" small />
        <h3>Bottleneck</h3>
        <span className="grow" />
        <Open id={id} zone={zone} />
      </div>
      <p className={panel.none}>{alert.annotations.verdict ?? "A verdict was open for it."}</p>
    </section>
  );
}

function Matched({ stored, zone }: { stored: Stored; zone: Zone }) {
  const { id, rev, verdict } = stored;
  const { culprit, path, symptom } = verdict;
  const place = culpritPlace(verdict);
  return (
    <section className={`panel ${panel.panel}`} aria-label="Bottleneck">
      <div className={panel.head}>
        <span className={styles.sign}>
          <Icon name="bottleneck" small />
        </span>
        <h3>Bottleneck</h3>
        <span className="text3 small">revision {rev}</span>
        <span className="grow" />
        <span className="tag">
          <ConfidenceBars confidence={verdict.confidence} />
        </span>
        <Open id={id} zone={zone} />
      </div>
      <div className={panel.body}>
        <p className={styles.headline}>
          <Headline text={verdict.headline} culprit={culprit} />
        </p>
        <p className={styles.summary}>{verdict.summary}</p>
        {path.length > 0 && (
          <ol className={styles.path} aria-label={`Path, ${amountText(addedOf(symptom), symptom.sli)} added`}>
            {path.map((hop, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a hop is its place on the path
              <li key={at} className={styles.step}>
                <span
                  className={styles.hop}
                  data-culprit={place.hop === at || undefined}
                  data-blind={hop.is_blind || undefined}
                >
                  {hop.service}
                </span>
                {at + 1 < path.length && (
                  <span className={styles.band}>+{amountText(hop.passes_on, symptom.sli)}</span>
                )}
              </li>
            ))}
          </ol>
        )}
      </div>
    </section>
  );
}

function Open({ id, zone }: { id: string; zone: Zone }) {
  return (
    <Link
      to="/bottlenecks/$id"
      params={{ id }}
      search={encodeVerdictView({ ...plainVerdict, zone })}
      className="link small"
    >
      Open verdict
    </Link>
  );
}
