import { useQueries } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { fetchSilence } from "../../api/alertmanager";
import type { Alert } from "../../api/alerts";
import { Icon } from "../../components/Icon";
import { formatDuration, formatMoment } from "../../lib/time/format";
import { type Zone, zoneLabel } from "../../lib/time/zone";
import { sentence } from "../../lib/words";
import styles from "./AlertPage.module.css";
import { SeverityTag, StateTag } from "./AlertState";
import { LinkedText } from "./LinkedText";
import { silencePath } from "./links";
import { lastedMs, limitText, safeHref, sentenceOf, startMs, stateOf, valueText, whereOf } from "./model";

interface AlertHeadProps {
  alert: Alert;
  zone: Zone;
  nowMs: number;
}

/** The answer first: a sentence, its state, since when. */
export function AlertHead({ alert, zone, nowMs }: AlertHeadProps) {
  const { description, runbook_url } = alert.annotations;
  const runbook = runbook_url ? safeHref(runbook_url) : null;
  return (
    <section className={styles.head} aria-label="Summary">
      <div className={styles.tags}>
        <SeverityTag alert={alert} />
        <StateTag alert={alert} />
        <span className="text2">{timesOf(alert, zone, nowMs)}</span>
      </div>
      <h2 className={styles.headline}>{sentenceOf(alert)}</h2>
      <p className={styles.facts}>{factsOf(alert)}</p>
      <Quiet alert={alert} zone={zone} />
      {description && (
        <p className={styles.description}>
          <LinkedText text={description} />
        </p>
      )}
      {runbook && (
        <p>
          <a href={runbook} className={styles.runbook} target="_blank" rel="noreferrer noopener">
            <Icon name="book" small />
            <span className="link">Runbook</span>
            <Icon name="external" small />
          </a>
        </p>
      )}
    </section>
  );
}

function timesOf(alert: Alert, zone: Zone, nowMs: number): string {
  const lasted = formatDuration(lastedMs(alert, nowMs));
  const moment = (ms: number) => `${formatMoment(ms, zone)} ${zoneLabel(zone, ms)}`;
  if (alert.state === "resolved" && alert.ends_at !== null)
    return `ended ${moment(Date.parse(alert.ends_at))}, after ${lasted}`;
  return `since ${moment(startMs(alert))}, ${lasted}`;
}

function factsOf(alert: Alert) {
  const limit = limitText(alert);
  const where = whereOf(alert.labels);
  const parts = [
    where && <span key="where">{where}</span>,
    alert.value !== null && (
      <span key="value">
        value <span className="text1">{valueText(alert)}</span>
        {limit && <> where the limit is {limit}</>}
      </span>
    ),
    stateOf(alert) === "pending" && alert.rule !== null && (
      <span key="for">fires when it has held for {formatDuration(alert.rule.for_s * 1000)}</span>
    ),
  ];
  return parts.filter(Boolean);
}

/** Why nobody is told although it fires. */
function Quiet({ alert, zone }: { alert: Alert; zone: Zone }) {
  const { silenced_by, inhibited_by, muted_by } = alert;
  const silences = useQueries({
    queries: silenced_by.slice(0, 5).map((id) => ({
      queryKey: ["silences", "one", id],
      queryFn: ({ signal }: { signal: AbortSignal }) => fetchSilence(id, signal),
      staleTime: 30_000,
    })),
  });
  if (silenced_by.length + inhibited_by.length + muted_by.length === 0) return null;
  return (
    <ul className={styles.quiet}>
      {silenced_by.slice(0, 5).map((id, at) => {
        const silence = silences[at]?.data;
        const endMs = Date.parse(silence?.endsAt ?? "");
        return (
          <li key={id}>
            <Icon name="silenced" small />
            <span>
              <Link to={silencePath(id)} className="link">
                {silence ? `Silenced until ${formatMoment(endMs, zone)}` : "Silenced"}
              </Link>
              {silence && ` by ${silence.createdBy}: ${sentence(silence.comment)}`}
            </span>
          </li>
        );
      })}
      {inhibited_by.slice(0, 5).map((fingerprint) => (
        <li key={fingerprint}>
          <Icon name="inhibited" small />
          <span>
            Inhibited: nobody is told, because{" "}
            <Link to="/alerts/$fingerprint" params={{ fingerprint }} className="link">
              another alert
            </Link>{" "}
            that fires stands for it.
          </span>
        </li>
      ))}
      {muted_by.length > 0 && (
        <li>
          <Icon name="pause" small />
          <span>Muted by the time interval {muted_by.join(", ")} of its route.</span>
        </li>
      )}
    </ul>
  );
}
