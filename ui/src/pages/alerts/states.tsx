import type { Alert } from "../../api/alerts";
import { ApiError } from "../../api/http";
import { Icon } from "../../components/Icon";
import { Message } from "../../components/Message";
import { plural } from "../../lib/number";
import { formatClock } from "../../lib/time/format";
import { type Zone, zoneLabel } from "../../lib/time/zone";
import { headline, sentence } from "../../lib/words";
import styles from "./Alerts.module.css";

export function Refused({ error, onRetry }: { error: Error; onRetry: () => void }) {
  return (
    <Message
      kind="error"
      title={headline(error.message)}
      actions={
        <button type="button" className="button" onClick={onRetry}>
          Try again
        </button>
      }
    >
      {error instanceof ApiError && error.hint ? sentence(error.hint) : null}
    </Message>
  );
}

/** What is shown is old: a quiet list must not be taken for quiet. */
export function Stale({ error, sinceMs, zone }: { error: Error | null; sinceMs: number; zone: Zone }) {
  if (!error) return null;
  return (
    <p className={`tag tag-warn ${styles.stale}`} role="status">
      <Icon name="warning" small />
      As of {formatClock(sinceMs, zone)} {zoneLabel(zone, sinceMs)}: {sentence(error.message)}
    </p>
  );
}

export function NothingFound({ alerts, onAll }: { alerts: Alert[]; onAll: () => void }) {
  const open = alerts.filter(({ state }) => state !== "resolved").length;
  return (
    <Message
      title="No alert is like this"
      actions={
        <button type="button" className="button" onClick={onAll}>
          Show all that is open
        </button>
      }
    >
      {plural(open, "alert is", "alerts are")} open, and {plural(alerts.length - open, "ended", "ended")} in
      the last 5&nbsp;days.
    </Message>
  );
}

export function NoAlerts({ ended, onEnded }: { ended: number; onEnded: () => void }) {
  return (
    <Message
      title="No alert is open"
      actions={
        ended > 0 && (
          <button type="button" className="button" onClick={onEnded}>
            Show what ended
          </button>
        )
      }
    >
      {ended > 0
        ? `${plural(ended, "alert")} ended in the last 5\u00a0days.`
        : "None was open in the last 5\u00a0days either."}
    </Message>
  );
}
