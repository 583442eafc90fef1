import { Link } from "@tanstack/react-router";
import type { Stored, Watch } from "../../api/bottlenecks";
import { formatCount, plural } from "../../lib/number";
import { formatClock } from "../../lib/time/format";
import type { Zone } from "../../lib/time/zone";
import { Stale } from "../alerts/states";
import { stateOf, unwatchedText } from "../bottlenecks/model";
import { VerdictRow } from "../bottlenecks/VerdictRow";
import { Failed } from "./Failed";
import styles from "./Overview.module.css";

interface OpenVerdictsProps {
  /** Null: not answered yet. */
  verdicts: Stored[] | null;
  error: Error | null;
  /** When they were told. */
  updatedMs: number;
  /** Whether services that send spans are known: without any there is nothing to watch. */
  isWatching: boolean;
  /** Whether the collector looks; undefined: not answered yet. */
  watch: Watch | undefined;
  zone: Zone;
  onRetry: () => void;
}

const shownLimit = 3;

/** The answer first: where the bottleneck is. Nothing is one calm line. */
export function OpenVerdicts({
  verdicts,
  error,
  updatedMs,
  isWatching,
  watch,
  zone,
  onRetry,
}: OpenVerdictsProps) {
  const all = verdicts ?? [];
  const unwatched = watch ? unwatchedText(watch, zone) : null;
  const shown = all.slice(0, shownLimit);
  const nowMs = Date.now();
  return (
    <section className={`panel ${styles.alerts}`} aria-label="Where is the bottleneck?">
      <div className={styles.head}>
        <h2>Where is the bottleneck?</h2>
        {all.length > 0 && <span className="text3 small">{countsOf(all)}</span>}
        {verdicts && <Stale error={error} sinceMs={updatedMs} zone={zone} />}
        <span className="grow" />
        {verdicts && !error && (
          <span className={`text3 small ${styles.wideOnly}`}>looked at {formatClock(updatedMs, zone)}</span>
        )}
        <Link to="/bottlenecks" className="link small">
          All verdicts
        </Link>
      </div>
      {error && verdicts === null ? (
        <Failed error={error} onRetry={onRetry} />
      ) : verdicts === null ? (
        <div className={`skeleton ${styles.skeleton}`} />
      ) : all.length === 0 && !isWatching ? (
        <p className={styles.line}>
          <span className="text1">Not known.</span> No service has sent spans in this time, and without them
          no request is watched.
        </p>
      ) : all.length === 0 && unwatched ? (
        <p className={styles.line}>
          <span className="text1">{unwatched.title}</span> {unwatched.why}
        </p>
      ) : all.length === 0 ? (
        <p className={styles.line}>
          <span className="text1">There is none.</span> No request from outside is slower or fails more than
          it usually does.
        </p>
      ) : (
        <ul>
          {shown.map((stored) => (
            <VerdictRow key={stored.id} stored={stored} zone={zone} nowMs={nowMs} />
          ))}
        </ul>
      )}
      {all.length > shown.length && (
        <p className={styles.folded}>
          <Link to="/bottlenecks" className="link">
            {formatCount(all.length - shown.length)} more
          </Link>
        </p>
      )}
    </section>
  );
}

function countsOf(verdicts: Stored[]): string {
  const vague = verdicts.filter((stored) => stateOf(stored) === "not_localised").length;
  const named = verdicts.length - vague;
  const parts = [named > 0 && plural(named, "verdict"), vague > 0 && `${formatCount(vague)} not localised`];
  return parts.filter(Boolean).join(", ");
}
