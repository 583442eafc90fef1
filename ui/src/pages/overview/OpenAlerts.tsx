import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type Alert, fetchRuleCount } from "../../api/alerts";
import { formatCount, plural } from "../../lib/number";
import { formatDuration } from "../../lib/time/format";
import type { Zone } from "../../lib/time/zone";
import { Since } from "../alerts/AlertRow";
import { SeverityTag, StateTag } from "../alerts/AlertState";
import {
  byWorst,
  isQuiet,
  lastedMs,
  levelOf,
  limitText,
  type State,
  sentenceOf,
  severityOf,
  stateOf,
  valueText,
  whereOf,
} from "../alerts/model";
import { Stale } from "../alerts/states";
import { encodeAlertView, plainView } from "../alerts/url";
import { Failed } from "./Failed";
import styles from "./Overview.module.css";

interface OpenAlertsProps {
  /** Null: not answered yet. */
  alerts: Alert[] | null;
  error: Error | null;
  /** When the alerts were told. */
  updatedMs: number;
  services: number;
  hosts: number;
  zone: Zone;
  /** Beside others: fewer of them, each in two short lines. */
  narrow: boolean;
  onRetry: () => void;
}

const [shownLimit, narrowLimit] = [6, 4];

/** What calls for somebody, the worst first. Nothing is one calm line. */
export function OpenAlerts({
  alerts,
  error,
  updatedMs,
  services,
  hosts,
  zone,
  narrow,
  onRetry,
}: OpenAlertsProps) {
  const open = (alerts ?? []).filter(({ state }) => state !== "resolved");
  const loud = open.filter((alert) => !isQuiet(stateOf(alert))).sort(byWorst);
  const shown = loud.slice(0, narrow ? narrowLimit : shownLimit);
  const nowMs = Date.now();
  return (
    <section className={`panel ${styles.alerts}`} aria-label="Open alerts">
      <div className={styles.head}>
        <h2>Open alerts</h2>
        {loud.length > 0 && <span className="text3 small">{countsOf(loud)}</span>}
        {alerts && <Stale error={error} sinceMs={updatedMs} zone={zone} />}
        <span className="grow" />
        <Link to="/alerts" className="link small">
          All alerts
        </Link>
      </div>
      {error && alerts === null ? (
        <Failed error={error} onRetry={onRetry} />
      ) : alerts === null ? (
        <div className={`skeleton ${styles.skeleton}`} />
      ) : loud.length === 0 ? (
        <Calm services={services} hosts={hosts} quiet={open.length} />
      ) : (
        <ul>
          {shown.map((alert) =>
            narrow ? (
              <NarrowAlert key={alert.fingerprint} alert={alert} zone={zone} nowMs={nowMs} />
            ) : (
              <OpenAlert key={alert.fingerprint} alert={alert} zone={zone} nowMs={nowMs} />
            ),
          )}
        </ul>
      )}
      <Folded more={loud.length - shown.length} open={open} calm={loud.length === 0} />
    </section>
  );
}

function countsOf(loud: Alert[]): string {
  const firing = loud.filter((alert) => stateOf(alert) === "firing").length;
  const pending = loud.length - firing;
  const parts = [
    firing > 0 && `${formatCount(firing)} firing`,
    pending > 0 && `${formatCount(pending)} pending`,
  ];
  return `${parts.filter(Boolean).join(", ")}, worst first`;
}

function OpenAlert({ alert, zone, nowMs }: { alert: Alert; zone: Zone; nowMs: number }) {
  const limit = limitText(alert);
  const where = whereOf(alert.labels);
  return (
    <li className={styles.alert}>
      <Link
        to="/alerts/$fingerprint"
        params={{ fingerprint: alert.fingerprint }}
        search={encodeAlertView({ ...plainView, zone, range: null, every: false })}
        className={styles.alertLink}
        data-alert={alert.fingerprint}
      >
        <span
          className={styles.mark}
          data-level={levelOf(alert) ?? undefined}
          data-pending={stateOf(alert) === "pending" || undefined}
        />
        <span className={styles.alertText}>
          <span className={styles.sentence}>{sentenceOf(alert)}</span>
          <span className={styles.detail}>
            <span>{[alert.name !== sentenceOf(alert) && alert.name, where].filter(Boolean).join(", ")}</span>
            {alert.value !== null && (
              <span>
                <span className="text1">{valueText(alert)}</span>
                {limit && `, limit ${limit}`}
              </span>
            )}
          </span>
        </span>
        <span className={styles.alertTags}>
          <SeverityTag alert={alert} />
          <StateTag alert={alert} />
        </span>
        <Since alert={alert} zone={zone} nowMs={nowMs} />
      </Link>
    </li>
  );
}

function NarrowAlert({ alert, zone, nowMs }: { alert: Alert; zone: Zone; nowMs: number }) {
  const state = stateOf(alert);
  const severity = severityOf(alert.labels);
  const words = [severity === "none" ? state : `${severity}, ${state}`, alert.name, whereOf(alert.labels)];
  return (
    <li className={styles.alert}>
      <Link
        to="/alerts/$fingerprint"
        params={{ fingerprint: alert.fingerprint }}
        search={encodeAlertView({ ...plainView, zone, range: null, every: false })}
        className={styles.narrowAlert}
        data-alert={alert.fingerprint}
      >
        <span
          className={styles.mark}
          data-level={levelOf(alert) ?? undefined}
          data-pending={state === "pending" || undefined}
        />
        <span className={styles.narrowText}>
          <span title={sentenceOf(alert)}>{sentenceOf(alert)}</span>
          <span>{words.filter(Boolean).join(" · ")}</span>
        </span>
        <span className={styles.narrowSide}>
          <span className="text1">{formatDuration(lastedMs(alert, nowMs)).split(" ")[0]}</span>
          <span>{alert.value !== null && valueText(alert)}</span>
        </span>
      </Link>
    </li>
  );
}

/** Nobody is called: what is watched, so that the quiet can be trusted. */
function Calm({ services, hosts, quiet }: { services: number; hosts: number; quiet: number }) {
  const rules = useQuery({
    queryKey: ["rules", "count"],
    queryFn: ({ signal }) => fetchRuleCount(signal),
    staleTime: 60_000,
  });
  const watched = [hosts > 0 && plural(hosts, "host"), services > 0 && plural(services, "service")]
    .filter(Boolean)
    .join(" and ");
  return (
    <p className={styles.line}>
      <span className="text1">{quiet > 0 ? "Nobody is called." : "No alert is open."}</span>{" "}
      {rules.data !== undefined &&
        (rules.data > 0
          ? `${plural(rules.data, "rule watches", "rules watch")} ${watched || "what arrives"}.`
          : "No rule is loaded that could raise one.")}
    </p>
  );
}

const folded: State[] = ["silenced", "inhibited", "muted"];

function Folded({ more, open, calm }: { more: number; open: Alert[]; calm: boolean }) {
  const counts = folded
    .map((state) => ({ state, count: open.filter((alert) => stateOf(alert) === state).length }))
    .filter(({ count }) => count > 0);
  if (more === 0 && counts.length === 0) return null;
  return (
    <p className={styles.folded} data-calm={calm || undefined}>
      {more > 0 && (
        <Link to="/alerts" className="link">
          {formatCount(more)} more
        </Link>
      )}
      {counts.map(({ state, count }) => (
        <Link key={state} to="/alerts" search={{ state }} className="link">
          {formatCount(count)} {state}
        </Link>
      ))}
    </p>
  );
}
