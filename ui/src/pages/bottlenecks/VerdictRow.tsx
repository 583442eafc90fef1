import { Link } from "@tanstack/react-router";
import type { Stored } from "../../api/bottlenecks";
import { plural } from "../../lib/number";
import type { Zone } from "../../lib/time/zone";
import { shortMoment } from "../alerts/AlertRow";
import { kindText, lastedText, markOf, stateOf } from "./model";
import { ConfidenceBars, ExplainedBar, Headline } from "./parts";
import { encodeVerdictView, plainVerdict } from "./url";
import styles from "./VerdictRow.module.css";

interface VerdictRowProps {
  stored: Stored;
  zone: Zone;
  nowMs: number;
}

/** A verdict in a list: its sentence, why, how much it explains, since when, how sure. */
export function VerdictRow({ stored, zone, nowMs }: VerdictRowProps) {
  const { id, verdict, closed_s } = stored;
  const { culprit, window } = verdict;
  const state = stateOf(stored);
  const began = shortMoment(window.onset_s * 1000, zone, nowMs);
  return (
    <li className={styles.item}>
      <Link
        to="/bottlenecks/$id"
        params={{ id }}
        search={encodeVerdictView({ ...plainVerdict, zone })}
        className={styles.row}
        data-verdict={id}
        data-state={state}
      >
        <span className={styles.edge} data-mark={markOf(stored)} />
        <span className={styles.what}>
          <span className={styles.headline}>
            <Headline text={verdict.headline} culprit={culprit} />
          </span>
          <span className={styles.summary}>
            {culprit && <span className="text1">{kindText(culprit)}. </span>}
            {verdict.summary}
          </span>
        </span>
        <ExplainedBar verdict={verdict} />
        <span className={styles.meta}>
          <span className="text1">
            {closed_s === null ? `since ${began}` : `${began}, ${lastedText(stored, nowMs)}`}
          </span>
          <ConfidenceBars confidence={verdict.confidence} short />
          <span className="text3">{whoText(stored)}</span>
        </span>
      </Link>
    </li>
  );
}

/** The third line: whether somebody was called, and what people said of it. */
function whoText({ alerts, feedback, closed_s, merged_into }: Stored): string {
  if (merged_into !== null) return "part of another";
  if (feedback) return `${feedback.by}: ${feedback.answer}`;
  if (alerts.length > 0) return plural(alerts.length, "alert");
  return closed_s === null ? "no alert" : "closed, no alert";
}
