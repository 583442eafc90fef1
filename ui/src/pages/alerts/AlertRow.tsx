import { Link, useNavigate } from "@tanstack/react-router";
import type { Alert } from "../../api/alerts";
import { usePhone } from "../../components/usePhone";
import { formatClock, formatDuration, formatMoment } from "../../lib/time/format";
import { startOfDay, type Zone } from "../../lib/time/zone";
import { StateTag } from "./AlertState";
import styles from "./Alerts.module.css";
import { HistoryStrip } from "./HistoryStrip";
import type { Cell } from "./history";
import { LabelTags } from "./LabelTags";
import { lastedMs, levelOf, limitText, sentenceOf, severityOf, startMs, stateOf, valueText } from "./model";
import type { AlertsView } from "./url";
import { encodeAlertView } from "./url";

interface AlertRowProps {
  alert: Alert;
  cells: Cell[];
  view: AlertsView;
  nowMs: number;
  onFilter: (name: string, value: string) => void;
}

const tagLimit = 8;

/** What is wrong, where, since when; a click anywhere opens it. */
export function AlertRow({ alert, cells, view, nowMs, onFilter }: AlertRowProps) {
  const navigate = useNavigate();
  const phone = usePhone();
  const { fingerprint } = alert;
  const search = encodeAlertView({ ...view, range: null, every: false });
  const limit = limitText(alert);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the link in it does the same by keyboard
    <li
      className={styles.row}
      data-level={levelOf(alert) ?? undefined}
      onClick={(event) => {
        if (event.target instanceof Element && event.target.closest("a, button")) return;
        void navigate({ to: "/alerts/$fingerprint", params: { fingerprint }, search });
      }}
    >
      <span className={styles.mark} data-level={stateOf(alert) === "firing" ? levelOf(alert) : undefined} />
      <span className={styles.rowState}>
        <StateTag alert={alert} />
      </span>
      <span className={styles.what}>
        <Link
          to="/alerts/$fingerprint"
          params={{ fingerprint }}
          search={search}
          className={styles.sentence}
          data-alert={fingerprint}
        >
          {sentenceOf(alert)}
        </Link>
        <LabelTags labels={alert.labels} limit={tagLimit} {...(!phone && { onFilter })} />
      </span>
      <span className={styles.now}>
        {alert.value !== null && (
          <span className={`tabular ${styles.value}`} data-level={levelOf(alert) ?? undefined}>
            {valueText(alert)}
          </span>
        )}
        {limit && <span className="text3 small">limit {limit}</span>}
      </span>
      <span className={styles.strip}>
        <HistoryStrip cells={cells} severity={severityOf(alert.labels)} />
        <span className="text3">last 24&nbsp;h</span>
      </span>
      <Since alert={alert} zone={view.zone} nowMs={nowMs} />
    </li>
  );
}

/** "since 10:03:20" with how long; of what ended when it did. */
export function Since({ alert, zone, nowMs }: { alert: Alert; zone: Zone; nowMs: number }) {
  const lasted = formatDuration(lastedMs(alert, nowMs));
  const ended = alert.state === "resolved" && alert.ends_at !== null;
  return (
    <span className={styles.since}>
      <span className="text1">
        {ended
          ? `ended ${shortMoment(Date.parse(alert.ends_at ?? ""), zone, nowMs)}`
          : `since ${shortMoment(startMs(alert), zone, nowMs)}`}
      </span>
      <span className="text3">{ended ? `after ${lasted}` : lasted}</span>
    </span>
  );
}

/** Of today the clock; of another day with it. */
export function shortMoment(ms: number, zone: Zone, nowMs: number): string {
  return startOfDay(ms, zone) === startOfDay(nowMs, zone) ? formatClock(ms, zone) : formatMoment(ms, zone);
}
