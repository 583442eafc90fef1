import type { UseQueryResult } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import type { SavedView } from "../../../api/views";
import type { Zone } from "../../../lib/time/zone";
import { sentence } from "../../../lib/words";
import type { LogsSearch } from "../url";
import styles from "./SavedViews.module.css";
import { stateOf } from "./state";
import { useChangeViews } from "./useViews";
import { ViewRow } from "./ViewRow";

interface ViewsPanelProps {
  views: UseQueryResult<SavedView[]>;
  /** What is on the screen. */
  state: LogsSearch;
  zone: Zone;
  shownId: string | null;
  onOpen: (search: LogsSearch) => void;
}

export function ViewsPanel({ views, state, zone, shownId, onOpen }: ViewsPanelProps) {
  return (
    <div className={styles.panel}>
      <SaveForm state={state} />
      {views.error ? (
        <div className={styles.message} role="alert">
          <p>{sentence(views.error.message)}</p>
          <button type="button" className="button button-small" onClick={() => views.refetch()}>
            Try again
          </button>
        </div>
      ) : views.data?.length === 0 ? (
        <p className={styles.message}>
          No view is saved. A view keeps the query, the time range and the columns under a name, for everyone
          who uses this collector.
        </p>
      ) : (
        <ul className={styles.list} aria-label="Saved views">
          {(views.data ?? []).map((view) => (
            <ViewRow
              key={view.id}
              view={view}
              state={state}
              zone={zone}
              shown={view.id === shownId}
              onOpen={() => onOpen(stateOf(view))}
            />
          ))}
        </ul>
      )}
    </div>
  );
}

function SaveForm({ state }: { state: LogsSearch }) {
  const [name, setName] = useState("");
  const change = useChangeViews();
  const id = useId();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() === "") return;
    change.mutate({ kind: "save", name: name.trim(), state }, { onSuccess: () => setName("") });
  };
  return (
    <form className={styles.save} onSubmit={submit}>
      <label className={styles.label} htmlFor={id}>
        Save what is shown as
      </label>
      <div className={styles.line}>
        <input
          id={id}
          className="field"
          data-autofocus
          autoComplete="off"
          maxLength={100}
          value={name}
          aria-invalid={change.isError}
          aria-describedby={change.isError ? `${id}-error` : undefined}
          onChange={(event) => {
            change.reset();
            setName(event.target.value);
          }}
        />
        <button type="submit" className="button" disabled={name.trim() === "" || change.isPending}>
          Save
        </button>
      </div>
      {change.error && (
        <p id={`${id}-error`} className={styles.error} role="alert">
          {sentence(change.error.message)}
        </p>
      )}
    </form>
  );
}
