import { Choice, ChoiceLabel, Choices } from "../Choices";
import { Icon } from "../Icon";
import { useShortcuts } from "../useShortcuts";
import styles from "./RefreshControl.module.css";

interface RefreshControlProps {
  /** Seconds; null when only a person refreshes. */
  everyS: number | null;
  /** Why automatic refresh rests although it is on. */
  pause: string | null;
  onRefresh: () => void;
  onEvery: (seconds: number | null) => void;
}

const refreshChoicesS = [null, 5, 10, 30, 60, 300];

/** Refresh now (`r`), and how often by itself. */
export function RefreshControl({ everyS, pause, onRefresh, onEvery }: RefreshControlProps) {
  useShortcuts({ r: onRefresh });
  const resting = everyS !== null && pause !== null;
  return (
    <div className={styles.group}>
      <button type="button" className={styles.part} aria-label="Refresh" onClick={onRefresh}>
        <Icon name="refresh" small />
      </button>
      <Choices
        label="Automatic refresh"
        position="bottom-end"
        button={(toggle) => (
          <button type="button" className={styles.part} onClick={toggle}>
            <span className="visually-hidden">Automatic refresh: </span>
            {interval(everyS)}
            {resting && <span className="text3">paused</span>}
          </button>
        )}
      >
        {(close) => (
          <>
            <ChoiceLabel>{resting ? `Refresh ${pause}` : "Refresh by itself"}</ChoiceLabel>
            {refreshChoicesS.map((seconds) => (
              <Choice
                key={seconds}
                chosen={seconds === everyS}
                onChoose={() => {
                  close();
                  onEvery(seconds);
                }}
              >
                {seconds === null ? "Off" : `Every ${interval(seconds)}`}
              </Choice>
            ))}
          </>
        )}
      </Choices>
    </div>
  );
}

function interval(seconds: number | null): string {
  if (seconds === null) return "Off";
  return seconds < 60 ? `${seconds}\u00a0s` : `${seconds / 60}\u00a0min`;
}
