import type { AlertWithHistory } from "../../api/alerts";
import { Icon } from "../../components/Icon";
import { formatDuration, formatMoment } from "../../lib/time/format";
import { type Zone, zoneLabel } from "../../lib/time/zone";
import styles from "./AlertPage.module.css";
import { shortMoment } from "./AlertRow";
import { stateIcons } from "./AlertState";

interface AlertHistoryProps {
  alert: AlertWithHistory;
  zone: Zone;
  nowMs: number;
}

const shownLimit = 30;

/** When it was pending and when it fired, the newest first. */
export function AlertHistory({ alert: { history }, zone, nowMs }: AlertHistoryProps) {
  const newest = [...history].sort((a, b) => Date.parse(b.from) - Date.parse(a.from));
  const fired = history.filter(({ state }) => state === "firing").length;
  return (
    <section className="panel" aria-label="History">
      <div className={styles.panelHead}>
        <h3>History</h3>
        <span className="text3 small">
          newest first{fired > 1 && `, fired ${fired} times`}, {zoneLabel(zone, nowMs)}
        </span>
      </div>
      {newest.length > 0 ? (
        <ol className={styles.history}>
          {newest.slice(0, shownLimit).map(({ from, to, state }) => {
            const [fromMs, toMs] = [Date.parse(from), to === null ? nowMs : Date.parse(to)];
            return (
              <li key={`${from} ${state}`}>
                <time className="tabular" dateTime={from}>
                  {formatMoment(fromMs, zone)}
                </time>
                <span className={styles.event} data-state={state}>
                  <Icon name={stateIcons[state]} small />
                  {state === "firing" ? "fired" : "pending"}
                </span>
                <span className="text3">
                  {to === null ? "until now" : `until ${shortMoment(toMs, zone, fromMs)}`},{" "}
                  {formatDuration(Math.max(0, toMs - fromMs))}
                </span>
              </li>
            );
          })}
        </ol>
      ) : (
        <p className={styles.empty}>Nothing is written down of its past.</p>
      )}
      {newest.length > shownLimit && (
        <p className={styles.empty}>and {newest.length - shownLimit} earlier ones</p>
      )}
    </section>
  );
}
