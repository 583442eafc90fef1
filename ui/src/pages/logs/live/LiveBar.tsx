import { Icon } from "../../../components/Icon";
import { plural } from "../../../lib/number";
import { headline, sentence } from "../../../lib/words";
import { liveCap } from "./buffer";
import type { LiveStatus } from "./connection";
import styles from "./Live.module.css";
import type { LiveTail } from "./useLiveTail";

interface LiveBarProps {
  tail: LiveTail;
  paused: boolean;
  onPaused: (paused: boolean) => void;
  onStop: () => void;
}

/** Is it live, what arrived, what is missing; pause, clear, stop. */
export function LiveBar({ tail, paused, onPaused, onStop }: LiveBarProps) {
  const { status, buffer, dropped } = tail;
  return (
    <div className={styles.bar}>
      <p className={styles.status} role="status" data-kind={paused ? "paused" : status.kind}>
        <span className={styles.dot} aria-hidden="true" />
        {statusWords(status, paused)}
      </p>
      {status.kind === "waiting" && (
        <>
          {status.reason && (
            <span className={styles.reason}>
              {headline(status.reason.message)}
              {status.reason.hint ? `: ${sentence(status.reason.hint)}` : "."}
            </span>
          )}
          <button type="button" className="button button-small" onClick={tail.retry}>
            Try now
          </button>
        </>
      )}
      <span className={styles.counts}>
        {plural(buffer.arrived, "record")} arrived
        {buffer.arrived > liveCap && `, the last ${liveCap.toLocaleString("en-US")} kept`}
      </span>
      {dropped > 0 && (
        <span className="tag tag-warn" title="More matched than 500 a second; narrow the query to see all">
          <Icon name="warning" small />
          {plural(dropped, "record")} left out
        </span>
      )}
      <span className="grow" />
      <button
        type="button"
        className="button button-small"
        disabled={status.kind === "refused"}
        onClick={() => onPaused(!paused)}
      >
        <Icon name={paused ? "play" : "pause"} small />
        {paused ? "Resume" : "Pause"}
      </button>
      <button type="button" className="button button-quiet button-small" onClick={tail.clear}>
        Clear
      </button>
      <button type="button" className="button button-quiet button-small" onClick={onStop}>
        <Icon name="stop" small />
        Stop
      </button>
    </div>
  );
}

function statusWords(status: LiveStatus, paused: boolean): string {
  if (status.kind === "refused") return "Not live";
  if (status.kind === "connecting") return "Connecting";
  if (status.kind === "waiting") return "Connection lost, trying again";
  return paused ? "Paused" : "Live";
}
