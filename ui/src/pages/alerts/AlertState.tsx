// State and severity as words with a shape; colour only repeats them.
import type { Alert } from "../../api/alerts";
import { Icon, type IconName } from "../../components/Icon";
import styles from "./AlertState.module.css";
import { levelOf, type Severity, type State, severityOf, stateOf } from "./model";

export const stateIcons: Record<State, IconName> = {
  firing: "alert",
  pending: "waiting",
  silenced: "silenced",
  inhibited: "inhibited",
  muted: "pause",
  resolved: "checkCircle",
};

export const stateWords: Record<State, string> = {
  firing: "Firing",
  pending: "Pending",
  silenced: "Silenced",
  inhibited: "Inhibited",
  muted: "Muted",
  resolved: "Resolved",
};

export const stateHints: Record<State, string> = {
  firing: "The rule's condition holds, and its receivers are told",
  pending: "The condition holds, but not yet for as long as the rule wants",
  silenced: "It fires; a silence keeps everybody from being told",
  inhibited: "It fires; another alert that fires stands for it",
  muted: "It fires; a mute time of its route keeps everybody from being told",
  resolved: "The condition does not hold any more",
};

export function StateTag({ alert }: { alert: Alert }) {
  const state = stateOf(alert);
  return (
    <span
      className={`tag ${styles.state}`}
      data-state={state}
      data-level={levelOf(alert) ?? undefined}
      title={stateHints[state]}
    >
      <Icon name={stateIcons[state]} small />
      {stateWords[state]}
    </span>
  );
}

const severityWords: Record<Severity, string> = {
  critical: "Critical",
  warning: "Warning",
  info: "Info",
  none: "No severity",
};

export function severityWord(severity: Severity): string {
  return severityWords[severity];
}

/** Nothing where the rule names none. An alert that is over keeps the word and loses the colour. */
export function SeverityTag({ alert }: { alert: Alert }) {
  const severity = severityOf(alert.labels);
  if (severity === "none") return null;
  return (
    <span
      className={`tag ${styles.severity}`}
      data-severity={severity}
      data-quiet={stateOf(alert) !== "firing" || undefined}
    >
      {severityWords[severity]}
    </span>
  );
}
