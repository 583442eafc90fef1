import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useMayEdit } from "../../app/roles";
import { Icon } from "../../components/Icon";
import { formatCount } from "../../lib/number";
import { AlertRow } from "./AlertRow";
import { SeverityTag, stateWords } from "./AlertState";
import styles from "./Alerts.module.css";
import { ruleSearch, rulesPath, silenceSearchOf } from "./links";
import { type AlertGroup, byWorst, countBy, stateOf, states } from "./model";
import type { AlertsView } from "./url";
import { useStrips } from "./useAlerts";

interface AlertGroupsProps {
  groups: AlertGroup[];
  view: AlertsView;
  nowMs: number;
  onFilter: (name: string, value: string) => void;
}

const [groupStep, rowStep] = [50, 20];

/** One panel per rule. In a storm the first of each are enough to see what it is; the rest comes on request. */
export function AlertGroups({ groups, view, nowMs, onFilter }: AlertGroupsProps) {
  const [limit, setLimit] = useState(groupStep);
  const shown = groups.slice(0, limit);
  const stripOf = useStrips(
    shown.map(({ name }) => name),
    nowMs,
  );
  return (
    <>
      {shown.map((group) => (
        <Group
          key={group.name}
          group={group}
          view={view}
          nowMs={nowMs}
          stripOf={stripOf}
          onFilter={onFilter}
        />
      ))}
      {shown.length < groups.length && (
        <button type="button" className="button" onClick={() => setLimit(limit + groupStep)}>
          Show more: {groups.length - shown.length} rules
        </button>
      )}
    </>
  );
}

interface GroupProps extends Omit<AlertGroupsProps, "groups"> {
  group: AlertGroup;
  stripOf: ReturnType<typeof useStrips>;
}

function Group({ group: { name, alerts }, view, nowMs, stripOf, onFilter }: GroupProps) {
  const [limit, setLimit] = useState(rowStep);
  const { allowed, why } = useMayEdit();
  const worst = [...alerts].sort(byWorst)[0];
  const counts = countBy(alerts, stateOf);
  const said = states.filter((state) => counts.has(state));
  const shown = alerts.slice(0, limit);
  if (!worst) return null;
  return (
    <section className={`panel ${styles.group}`} aria-label={name}>
      <div className={styles.groupHead}>
        <h2>{name}</h2>
        <SeverityTag alert={worst} />
        <span className="text3 small">
          {said
            .map((state) => `${formatCount(counts.get(state) ?? 0)} ${stateWords[state].toLowerCase()}`)
            .join(", ")}
        </span>
        <span className="grow" />
        {worst.rule && (
          <Link to={rulesPath} search={{ ...ruleSearch(worst) }} className="link small">
            Rule
          </Link>
        )}
        {allowed ? (
          <Link
            to="/alerts/silences/new"
            search={silenceSearchOf([{ name: "alertname", op: "=", value: name }])}
            className={styles.silence}
            aria-label={`Silence ${name}`}
            title={`Silence ${name}`}
          >
            <Icon name="silenced" small />
          </Link>
        ) : (
          <span
            className={styles.silence}
            role="img"
            aria-label={why ?? ""}
            title={why ?? undefined}
            data-off=""
          >
            <Icon name="silenced" small />
          </span>
        )}
      </div>
      <ul>
        {shown.map((alert) => (
          <AlertRow
            key={alert.fingerprint}
            alert={alert}
            cells={stripOf(alert)}
            view={view}
            nowMs={nowMs}
            onFilter={onFilter}
          />
        ))}
      </ul>
      {shown.length < alerts.length && (
        <button
          type="button"
          className={`button button-quiet button-small ${styles.more}`}
          onClick={() => setLimit(limit + 10 * rowStep)}
        >
          Show more: {formatCount(alerts.length - shown.length)}
        </button>
      )}
    </section>
  );
}
