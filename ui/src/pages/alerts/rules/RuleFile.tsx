import { memo } from "react";
import type { Rule } from "../../../api/rules";
import list from "../../../components/List.module.css";
import { QueryCode } from "../../../components/query/QueryCode";
import { StateDot } from "../../../components/StateDot";
import { formatTook, plural } from "../../../lib/number";
import { formatClock, formatDuration } from "../../../lib/time/format";
import { evaluatedMs, isSlow, type ListedFile, type ListedGroup } from "./model";
import styles from "./Rules.module.css";
import type { RuleState } from "./url";

interface RuleFileProps {
  file: ListedFile;
  /** The rule whose drawer is open. */
  chosen: string | null;
  onOpen: (key: string) => void;
}

/** The groups of one file. */
export function RuleFile({ file: { file, groups }, chosen, onOpen }: RuleFileProps) {
  return (
    <section className={`panel ${list.panel} ${styles.file}`} aria-label={file}>
      <div className={list.head}>
        <h2 className="mono">{file}</h2>
        <span className="text3 small">{plural(groups.length, "group")}</span>
      </div>
      {groups.map((group) => (
        <Group key={group.group.name} listed={group} chosen={chosen} onOpen={onOpen} />
      ))}
    </section>
  );
}

interface GroupProps {
  listed: ListedGroup;
  chosen: string | null;
  onOpen: (key: string) => void;
}

function Group({ listed: { group, rules }, chosen, onOpen }: GroupProps) {
  const atMs = evaluatedMs(group.lastEvaluation);
  return (
    <div className={list.scroll}>
      <table className={`${list.table} ${styles.rules}`} aria-label={`Group ${group.name}`}>
        <caption className={styles.caption}>
          <span className={styles.groupName}>{group.name}</span>
          {` · every ${formatDuration(group.interval * 1000)} · `}
          {atMs === null ? "not evaluated yet" : `last ${formatClock(atMs, "utc")} UTC · `}
          {atMs !== null && (
            <span className={isSlow(group) ? list.warn : undefined}>
              took {formatTook(group.evaluationTime * 1000)}
              {isSlow(group) && ", more than half of its interval"}
            </span>
          )}
        </caption>
        <colgroup>
          <col className={styles.state} />
          <col className={styles.named} />
          <col className={styles.asked} />
          <col className={styles.count} />
          <col className={styles.took} />
        </colgroup>
        <thead className="visually-hidden">
          <tr>
            <th scope="col">State</th>
            <th scope="col">Rule</th>
            <th scope="col">Query</th>
            <th scope="col">Alerts</th>
            <th scope="col">Took</th>
          </tr>
        </thead>
        <tbody>
          {rules.map(({ key, rule, state }) => (
            <Row key={key} id={key} rule={rule} state={state} chosen={key === chosen} onOpen={onOpen} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

export const stateLevels: Record<RuleState, "crit" | "warn" | "none"> = {
  firing: "crit",
  pending: "warn",
  failing: "crit",
  inactive: "none",
  recording: "none",
};

interface RowProps {
  id: string;
  rule: Rule;
  state: RuleState;
  chosen: boolean;
  onOpen: (key: string) => void;
}

/** Two thousand of them: what has not changed is not drawn anew. */
const Row = memo(function Row({ id, rule, state, chosen, onOpen }: RowProps) {
  const count = rule.type === "alerting" ? rule.alerts.length : 0;
  return (
    <tr data-chosen={chosen} className={styles.row} onClick={() => onOpen(id)}>
      <td>
        <StateDot level={stateLevels[state]}>{state}</StateDot>
      </td>
      <th scope="row">
        <button
          type="button"
          className={`${list.name} ${styles.open}`}
          aria-expanded={chosen}
          onClick={(event) => {
            event.stopPropagation();
            onOpen(id);
          }}
        >
          {rule.name}
        </button>
      </th>
      <td data-wide="1" className={styles.query}>
        {rule.health === "err" && rule.lastError !== null ? (
          <span className={list.crit}>{rule.lastError}</span>
        ) : (
          <QueryCode text={oneLine(rule.query)} language={rule.language} />
        )}
      </td>
      <td data-align="right" data-quiet={count === 0}>
        {rule.type === "recording" ? "" : plural(count, "alert")}
      </td>
      <td data-wide="2" data-align="right" data-quiet="true">
        {evaluatedMs(rule.lastEvaluation) === null ? "–" : formatTook(rule.evaluationTime * 1000)}
      </td>
    </tr>
  );
});

function oneLine(query: string): string {
  return query.replace(/\s+/g, " ").trim();
}
