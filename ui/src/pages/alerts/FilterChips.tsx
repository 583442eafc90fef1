import type { ReactNode } from "react";
import type { Alert } from "../../api/alerts";
import { Choice, Choices } from "../../components/Choices";
import { Icon } from "../../components/Icon";
import { formatCount, plural } from "../../lib/number";
import { severityWord, stateIcons, stateWords } from "./AlertState";
import styles from "./Alerts.module.css";
import {
  countBy,
  type Severity,
  type Sort,
  type State,
  severities,
  severityOf,
  sorts,
  stateOf,
  states,
} from "./model";
import type { AlertsView } from "./url";

interface FilterChipsProps {
  view: AlertsView;
  /** Counted for the states, and for the severities: each without its own choice. */
  byState: Alert[];
  bySeverity: Alert[];
  shown: number;
  onChange: (change: Partial<AlertsView>) => void;
}

const sortWords: Record<Sort, string> = {
  worst: "Worst first",
  newest: "Newest first",
  longest: "Longest first",
  name: "By name",
};

/** Which states and severities are shown, with how many there are of each, and the order. */
export function FilterChips({ view, byState, bySeverity, shown, onChange }: FilterChipsProps) {
  const ofStates = countBy(byState, stateOf);
  const ofSeverities = countBy(bySeverity, ({ labels }) => severityOf(labels));
  const open = byState.filter(({ state }) => state !== "resolved").length;
  const always = new Set<State>(["firing", "pending", "silenced", "inhibited", "resolved"]);
  return (
    <div className={styles.chips}>
      <div className={styles.chipGroup} role="group" aria-label="State">
        <Chip count={open} pressed={view.states.length === 0} onToggle={() => onChange({ states: [] })}>
          Open
        </Chip>
        {states
          .filter((state) => always.has(state) || ofStates.has(state) || view.states.includes(state))
          .map((state) => (
            <Chip
              key={state}
              count={ofStates.get(state) ?? 0}
              pressed={view.states.includes(state)}
              onToggle={() => onChange({ states: toggled(view.states, state) })}
            >
              <Icon name={stateIcons[state]} small />
              {stateWords[state]}
            </Chip>
          ))}
      </div>
      <div className={`${styles.chipGroup} ${styles.severities}`} role="group" aria-label="Severity">
        {severities
          .filter((severity) => ofSeverities.has(severity) || view.severities.includes(severity))
          .map((severity) => (
            <Chip
              key={severity}
              count={ofSeverities.get(severity) ?? 0}
              pressed={view.severities.includes(severity)}
              onToggle={() => onChange({ severities: toggled<Severity>(view.severities, severity) })}
            >
              {severityWord(severity)}
            </Chip>
          ))}
      </div>
      <span className={`text3 small ${styles.count}`} aria-live="polite">
        {plural(shown, "alert")}
      </span>
      <Choices
        label="Order"
        position="bottom-end"
        button={(toggle) => (
          <button type="button" className="button button-quiet button-small" onClick={toggle}>
            <span className="visually-hidden">Order: </span>
            {sortWords[view.sort]}
            <Icon name="down" small />
          </button>
        )}
      >
        {(close) =>
          sorts.map((sort) => (
            <Choice
              key={sort}
              chosen={sort === view.sort}
              onChoose={() => {
                close();
                onChange({ sort });
              }}
            >
              {sortWords[sort]}
            </Choice>
          ))
        }
      </Choices>
    </div>
  );
}

interface ChipProps {
  count: number;
  pressed: boolean;
  onToggle: () => void;
  children: ReactNode;
}

function Chip({ count, pressed, onToggle, children }: ChipProps) {
  return (
    <button
      type="button"
      className={`button button-small ${styles.chip}`}
      aria-pressed={pressed}
      data-none={count === 0 || undefined}
      onClick={onToggle}
    >
      {children}
      <span className="tabular">{formatCount(count)}</span>
    </button>
  );
}

function toggled<T>(chosen: T[], one: T): T[] {
  return chosen.includes(one) ? chosen.filter((other) => other !== one) : [...chosen, one];
}
