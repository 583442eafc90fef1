import { type FormEvent, useId, useState } from "react";
import { ApiError } from "../../../api/http";
import type { SavedView } from "../../../api/views";
import { CopyButton } from "../../../components/CopyButton";
import { Icon, type IconName } from "../../../components/Icon";
import { formatMoment } from "../../../lib/time/format";
import { type Zone, zoneLabel } from "../../../lib/time/zone";
import { sentence } from "../../../lib/words";
import type { LogsSearch } from "../url";
import styles from "./SavedViews.module.css";
import { linkOf, stateOf } from "./state";
import { useChangeViews } from "./useViews";

interface ViewRowProps {
  view: SavedView;
  /** What is on the screen. */
  state: LogsSearch;
  zone: Zone;
  shown: boolean;
  onOpen: () => void;
}

type Mode = "open" | "update" | "rename" | "delete";

/** One saved view: opens by its name; update, rename, link and delete behind it. */
export function ViewRow({ view, state, zone, shown, onOpen }: ViewRowProps) {
  const [mode, setMode] = useState<Mode>("open");
  const [name, setName] = useState(view.name);
  const change = useChangeViews();
  const done = () => {
    change.reset();
    setName(view.name);
    setMode("open");
  };
  const save = (to: { name?: string; state?: SavedView["state"] }) =>
    change.mutate({ kind: "change", view, name: view.name, state: view.state, ...to }, { onSuccess: done });
  const rename = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() !== "") save({ name: name.trim() });
  };
  const start = (next: Mode) => {
    done();
    setMode(next);
  };
  return (
    <li className={styles.row} data-shown={shown}>
      {mode === "rename" ? (
        <form className={styles.line} onSubmit={rename}>
          <input
            className="field"
            aria-label={`New name of ${view.name}`}
            // biome-ignore lint/a11y/noAutofocus: the person has just asked for this field
            autoFocus
            autoComplete="off"
            maxLength={100}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
          <button type="submit" className="button" disabled={name.trim() === "" || change.isPending}>
            Rename
          </button>
          <Cancel onClick={done} />
        </form>
      ) : mode === "delete" ? (
        <Ask question={`Delete “${view.name}” for everyone?`} onCancel={done}>
          <button
            type="button"
            className={`button ${styles.danger}`}
            // biome-ignore lint/a11y/noAutofocus: it takes the place of the button that was pressed
            autoFocus
            disabled={change.isPending}
            onClick={() => change.mutate({ kind: "delete", view })}
          >
            Delete {view.name}
          </button>
        </Ask>
      ) : mode === "update" ? (
        <Ask question={`Replace “${view.name}” by what is shown?`} onCancel={done}>
          <button
            type="button"
            className="button"
            // biome-ignore lint/a11y/noAutofocus: it takes the place of the button that was pressed
            autoFocus
            disabled={change.isPending}
            onClick={() => save({ state: { ...state } })}
          >
            Update {view.name}
          </button>
        </Ask>
      ) : (
        <div className={styles.view}>
          <button type="button" className={styles.name} onClick={onOpen}>
            <span>{view.name}</span>
            <span className={`${styles.query} mono`}>{String(view.state.query ?? "every record")}</span>
          </button>
          <Tool
            icon="refresh"
            label={`Update ${view.name}`}
            disabled={shown}
            onClick={() => start("update")}
          />
          <Tool icon="edit" label={`Rename ${view.name}`} onClick={() => start("rename")} />
          <CopyButton
            text={() => linkOf(stateOf(view))}
            label="Copy link"
            icon="link"
            className={`button button-quiet button-small ${styles.copy}`}
          />
          <Tool icon="trash" label={`Delete ${view.name}`} onClick={() => start("delete")} />
        </div>
      )}
      {change.error && <Refusal error={change.error} view={view} zone={zone} />}
    </li>
  );
}

/** After a conflict the list is read anew: the same button then changes what the other person made of the view. */
function Refusal({ error, view, zone }: { error: Error; view: SavedView; zone: Zone }) {
  const ms = Date.parse(view.updated_at);
  const conflict = error instanceof ApiError && error.code === "conflict";
  return (
    <p className={styles.error} role="alert">
      {conflict
        ? `Not saved: somebody else changed “${view.name}” at ${formatMoment(ms, zone)} ${zoneLabel(zone, ms)}. Press again to replace their change, or cancel to keep it.`
        : sentence(error.message)}
    </p>
  );
}

interface AskProps {
  question: string;
  children: React.ReactNode;
  onCancel: () => void;
}

function Ask({ question, children, onCancel }: AskProps) {
  const id = useId();
  return (
    <fieldset className={styles.ask} aria-labelledby={id}>
      <p id={id}>{question}</p>
      <div className={styles.line}>
        {children}
        <Cancel onClick={onCancel} />
      </div>
    </fieldset>
  );
}

function Cancel({ onClick }: { onClick: () => void }) {
  return (
    <button type="button" className="button button-quiet" onClick={onClick}>
      Cancel
    </button>
  );
}

interface ToolProps {
  icon: IconName;
  label: string;
  disabled?: boolean;
  onClick: () => void;
}

function Tool({ icon, label, disabled = false, onClick }: ToolProps) {
  return (
    <button
      type="button"
      className="button button-quiet button-icon"
      aria-label={label}
      title={disabled ? "It is what is shown" : label}
      disabled={disabled}
      onClick={onClick}
    >
      <Icon name={icon} small />
    </button>
  );
}
