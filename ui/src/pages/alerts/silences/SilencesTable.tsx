import { Link } from "@tanstack/react-router";
import { useMayEdit } from "../../../app/roles";
import { Icon } from "../../../components/Icon";
import list from "../../../components/List.module.css";
import { StateDot } from "../../../components/StateDot";
import { plural } from "../../../lib/number";
import { formatMoment } from "../../../lib/time/format";
import { type ListedSilence, whenText } from "./model";
import styles from "./Silences.module.css";

interface SilencesTableProps {
  silences: ListedSilence[];
  nowMs: number;
  onExpire: (silence: ListedSilence) => void;
}

export function SilencesTable({ silences, nowMs, onExpire }: SilencesTableProps) {
  return (
    <section className={`panel ${list.panel} ${list.scroll}`} aria-label="List of silences">
      <table className={`${list.table} ${styles.table}`} aria-label="Silences">
        <thead>
          <tr>
            <th scope="col">State</th>
            <th scope="col">Alerts with all of</th>
            <th scope="col">When</th>
            <th scope="col">Matches now</th>
            <th scope="col">Comment</th>
            <th scope="col">Author</th>
            <th scope="col">
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {silences.map((one) => (
            <Row key={one.silence.id} one={one} nowMs={nowMs} onExpire={() => onExpire(one)} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Row({ one, nowMs, onExpire }: { one: ListedSilence; nowMs: number; onExpire: () => void }) {
  const { silence, state, matchers, filter, matched } = one;
  const { allowed, why } = useMayEdit();
  const over = state === "expired";
  const span = [silence.startsAt, silence.endsAt]
    .map((at) => formatMoment(Date.parse(at), "utc"))
    .join(" – ");
  return (
    <tr>
      <td>
        <StateDot level={state === "active" ? "some" : "none"}>{state}</StateDot>
      </td>
      <th scope="row">
        <Link
          to="/alerts/silences/$id"
          params={{ id: silence.id }}
          className={styles.open}
          aria-label={filter}
        >
          <span className={list.tags}>
            {matchers.map((matcher) => (
              <span key={matcher} className="tag mono">
                {matcher}
              </span>
            ))}
          </span>
        </Link>
      </th>
      <td title={`${span} UTC`}>{whenText(silence, state, nowMs)}</td>
      <td>
        {matched === null ? (
          "–"
        ) : (
          <Link to="/alerts" search={{ filter }} className="link">
            {plural(matched, "alert")}
          </Link>
        )}
      </td>
      <td className={styles.comment}>{silence.comment}</td>
      <td data-quiet="true">{silence.createdBy}</td>
      <td className={list.actions}>
        <Link
          to="/alerts/silences/$id"
          params={{ id: silence.id }}
          className="button button-quiet button-icon"
          aria-label={`${over ? "Begin anew" : "Edit"} ${filter}`}
          title={over ? "Begin anew" : "Edit"}
        >
          <Icon name={over ? "refresh" : "edit"} small />
        </Link>
        {!over && (
          <button
            type="button"
            className="button button-quiet button-icon"
            aria-label={`End ${filter}`}
            title={why ?? "End"}
            disabled={!allowed}
            onClick={onExpire}
          >
            <Icon name="stop" small />
          </button>
        )}
      </td>
    </tr>
  );
}
