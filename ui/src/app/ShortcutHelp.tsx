import { useEffect, useRef } from "react";
import { Icon } from "../components/Icon";
import { usePreferences } from "../components/usePreferences";
import { writePreferences } from "../lib/preferences";
import styles from "./ShortcutHelp.module.css";

const keys: [keys: string[], does: string][] = [
  [["Ctrl", "K"], "Go to or search: pages, actions, views, a trace id"],
  [["/"], "Go to the query, or to the search of a list; Esc empties it"],
  [["Ctrl", "Space"], "Suggestions for the query; also ↓, and Tab takes one"],
  [["g", "o"], "Open the overview"],
  [["g", "b"], "Open bottlenecks"],
  [["g", "s"], "Open services"],
  [["g", "t"], "Open traces"],
  [["g", "l"], "Open logs"],
  [["g", "m"], "Open metrics"],
  [["g", "h"], "Open hosts"],
  [["g", "d"], "Open dashboards"],
  [["g", "a"], "Open alerts"],
  [["t"], "Choose the time range"],
  [["t", "-"], "Zoom out: twice the time range"],
  [["←", "→"], "Shift the time range by half"],
  [["r"], "Refresh"],
  [["L"], "Live tail"],
  [["j", "k"], "Next or previous record or row"],
  [["Enter"], "Open the record"],
  [["Esc"], "Close the record"],
  [["←", "→"], "Logs: from cell to cell of the record, while the rows have the focus"],
  [["f"], "Filter by the value of the cell, in focus or under the pointer"],
  [["x"], "Exclude that value"],
  [["c"], "Choose columns"],
  [["w"], "Wrap long lines"],
  [["Shift", "T"], "Charts as tables"],
  [["P"], "Trace: only the critical path"],
  [["←", "→"], "Trace: close or open a span"],
  [["+", "−"], "Trace: zoom; 0 shows all"],
  [["n", "N"], "Trace: next or previous span found"],
  [["E"], "Edit the dashboard"],
  [["v"], "The panel under the pointer on the whole page, and back"],
  [["Ctrl", "S"], "Save the dashboard"],
  [["+", "-", "0"], "Map: zoom in, zoom out, show all"],
  [["["], "Open or fold the rail"],
  [["?"], "This list"],
];

export function ShortcutHelp({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { shortcuts } = usePreferences();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (opened) dialog.current?.showModal();
    else dialog.current?.close();
  }, [opened]);
  return (
    <dialog
      ref={dialog}
      className={`${styles.dialog} floating`}
      aria-labelledby="keys-title"
      onClose={onClose}
    >
      <div className={styles.head}>
        <h2 id="keys-title">Keyboard</h2>
        <button
          type="button"
          className="button button-quiet button-icon"
          aria-label="Close"
          onClick={onClose}
        >
          <Icon name="close" small />
        </button>
      </div>
      <dl className={styles.list}>
        {keys.map(([names, does]) => (
          <div key={does} className={styles.row}>
            <dt>
              {names.map((name) => (
                <kbd key={name}>{name}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <label className={styles.switch}>
        <input
          type="checkbox"
          checked={shortcuts}
          onChange={(event) => writePreferences({ shortcuts: event.target.checked })}
        />
        Single keys do something outside of inputs
      </label>
    </dialog>
  );
}
