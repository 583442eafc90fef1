import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { fetchAmGroups } from "../../api/alertmanager";
import type { Alert } from "../../api/alerts";
import { fetchReceivers, type Receiver } from "../../api/receivers";
import { formatMatchers, matchersOf } from "../../lib/matchers";
import { formatMoment } from "../../lib/time/format";
import type { Zone } from "../../lib/time/zone";
import styles from "./AlertPage.module.css";
import { receiversPath } from "./links";
import { isQuiet, stateOf } from "./model";

/** The receivers of the alert's route, and whom they reach. */
export function WhoIsTold({ alert, zone }: { alert: Alert; zone: Zone }) {
  const { data } = useQuery({
    queryKey: ["receivers"],
    queryFn: ({ signal }) => fetchReceivers(signal),
    staleTime: 30_000,
  });
  const groups = useQuery({
    queryKey: ["alertmanager", "groups", alert.fingerprint],
    queryFn: ({ signal }) => fetchAmGroups(matchersOf(alert.labels), signal),
    enabled: alert.state === "firing",
    staleTime: 30_000,
  });
  const groupOf = (name: string) =>
    groups.data?.find(
      ({ receiver, alerts }) =>
        receiver.name === name && alerts.some(({ fingerprint }) => fingerprint === alert.fingerprint),
    );
  const state = stateOf(alert);
  return (
    <section className="panel" aria-label="Who is told">
      <div className={styles.panelHead}>
        <h3>Who is told</h3>
        <span className="text3 small">
          {isQuiet(state)
            ? `nobody while it is ${state}`
            : state === "pending"
              ? "nobody before it fires"
              : ""}
        </span>
        <span className="grow" />
        <Link to={receiversPath} className="link small">
          Receivers
        </Link>
      </div>
      {alert.receivers.length === 0 ? (
        <p className={styles.empty}>
          {state === "pending" ? "Its route is chosen when it fires." : "No route takes it."}
        </p>
      ) : (
        <ul className={styles.receivers}>
          {alert.receivers.map((name) => (
            <li key={name}>
              <span className="text1">{name}</span>
              <Group labels={groupOf(name)?.labels} />
              <Targets receiver={data?.receivers.find((one) => one.name === name)} zone={zone} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** What the route groups by: everything that is alike in it goes into one message. */
function Group({ labels }: { labels: Record<string, string> | undefined }) {
  if (!labels || Object.keys(labels).length === 0) return null;
  const shown = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  return (
    <span className="text3 small">
      one message for{" "}
      <Link to="/alerts" search={{ filter: formatMatchers(matchersOf(labels)) }} className="link">
        {shown.join(", ")}
      </Link>
    </span>
  );
}

function Targets({ receiver, zone }: { receiver: Receiver | undefined; zone: Zone }) {
  if (!receiver) return null;
  if (receiver.integrations.length === 0)
    return <span className={styles.warn}>It reaches nobody: its configuration names no integration.</span>;
  return receiver.integrations.map(({ kind, target, supported, last }, at) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: an integration is its place in the configuration
    <span key={at} className={styles.target}>
      <span>
        {kind} {target}
      </span>
      {!supported ? (
        <span className={styles.warn}>not sent yet by this version</span>
      ) : last?.error ? (
        <span className={styles.crit}>
          failed {formatMoment(Date.parse(last.at), zone)}: {last.error}
        </span>
      ) : (
        <span className="text3">
          {last ? `last sent ${formatMoment(Date.parse(last.at), zone)}` : "not used yet"}
        </span>
      )}
    </span>
  ));
}
