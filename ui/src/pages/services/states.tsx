import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ApiError } from "../../api/http";
import { fetchStatus } from "../../api/status";
import { Message } from "../../components/Message";
import { SendTraces } from "../../components/SendTraces";
import { formatClock, formatDuration } from "../../lib/time/format";
import type { Span } from "../../lib/time/range";
import { type Zone, zoneLabel } from "../../lib/time/zone";
import { headline, sentence } from "../../lib/words";
import styles from "./Services.module.css";

/** Numbers of ten seconds are there some seconds after them; later than this they are late. */
const lateMs = 60_000;

export function Failed({ error, onRetry }: { error: Error; onRetry: () => void }) {
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

/** No service in the time: how to send traces. */
export function NoServices() {
  const status = useQuery({ queryKey: ["status"], queryFn: ({ signal }) => fetchStatus(signal) });
  return (
    <div className={styles.column}>
      <div>
        <h2>No service has sent spans in this time</h2>
        <p className={styles.lead}>
          Services, their numbers and the map come from traces. A program that an OpenTelemetry SDK watches
          sends them to the agent on its host, or straight to this collector; it appears here about ten
          seconds after its first request. If it sent before, choose a longer time.
        </p>
      </div>
      {status.data && <SendTraces otlp={status.data.otlp} />}
      <div>
        <Link to="/status" className="link">
          What has arrived so far
        </Link>
      </div>
    </div>
  );
}

/** Says that the newest numbers are old, when the range reaches past them. */
export function StaleTag({ until, span, zone }: { until: string | null; span: Span; zone: Zone }) {
  if (until === null) return null;
  const untilMs = Date.parse(until);
  if (Number.isNaN(untilMs) || span.endMs - untilMs < lateMs) return null;
  return (
    <span
      className="tag"
      title={`The newest numbers are ${formatDuration(span.endMs - untilMs)} older than the end of the time range`}
    >
      data until {formatClock(untilMs, zone)} {zoneLabel(zone, untilMs)}
    </span>
  );
}
