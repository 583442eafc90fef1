import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { deleteDashboard } from "../../api/dashboards";
import { ApiError } from "../../api/http";
import { Choice, Choices } from "../../components/Choices";
import { Dialog } from "../../components/Dialog";
import dialog from "../../components/Dialog.module.css";
import { Icon } from "../../components/Icon";
import type { Dashboard } from "../../lib/dashboard/model";
import { sentence } from "../../lib/words";
import styles from "./DashboardPage.module.css";
import { download } from "./download";
import { JsonDialog } from "./JsonDialog";
import { dashboardKey, dashboardsKey } from "./keys";
import { LackingList } from "./LackingList";
import type { Draft } from "./useDraft";

interface DashboardToolsProps {
  uid: string;
  dashboard: Dashboard | null;
  draft: Draft;
  editing: boolean;
  onEdit: () => void;
}

type Open = "lacking" | "json" | "saveAs" | "delete" | null;

/** What is done with a dashboard as a whole. */
export function DashboardTools({ uid, dashboard, draft, editing, onEdit }: DashboardToolsProps) {
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
  const lacking = dashboard?.lacking ?? [];
  const title = dashboard?.title ?? uid;
  return (
    <>
      {lacking.length > 0 && (
        <button type="button" className="button button-quiet button-small" onClick={() => setOpen("lacking")}>
          {lacking.length === 1 ? "1 thing is" : `${lacking.length} things are`} not shown
        </button>
      )}
      {draft.error && <SaveProblem draft={draft} />}
      {draft.changed && !draft.error && <span className={styles.draft}>Not saved yet</span>}
      {draft.saved && (
        <span className="text3 small" role="status">
          Saved
        </span>
      )}
      {editing && (
        <>
          <button type="button" className="button button-small" onClick={() => setOpen("json")}>
            JSON
          </button>
          {draft.changed && (
            <button type="button" className="button button-quiet button-small" onClick={draft.discard}>
              Discard
            </button>
          )}
          <button
            type="button"
            className="button button-small"
            onClick={() => setOpen("saveAs")}
            disabled={draft.saving || draft.text === undefined}
          >
            Save as
          </button>
          <button
            type="button"
            className={`button button-small ${draft.changed ? "button-primary" : ""}`}
            disabled={!draft.changed || draft.saving}
            title={draft.changed ? "Ctrl S" : "Nothing has changed"}
            onClick={() => draft.save()}
          >
            Save
          </button>
        </>
      )}
      <button type="button" className="button button-small" aria-pressed={editing} onClick={onEdit}>
        <Icon name="edit" small />
        {editing ? "Done" : "Edit"}
        {!editing && <kbd>E</kbd>}
      </button>
      <Choices
        label="Dashboard"
        position="bottom-end"
        button={(toggle) => (
          <button
            type="button"
            className="button button-icon button-small"
            aria-label="More about this dashboard"
            title="More"
            onClick={toggle}
          >
            <Icon name="more" small />
          </button>
        )}
      >
        {(done) => {
          const then = (run: () => void) => () => {
            done();
            run();
          };
          return (
            <>
              <Choice
                chosen={null}
                onChoose={then(() => draft.text !== undefined && download(`${uid}.json`, draft.text))}
              >
                Download JSON
              </Choice>
              <Choice chosen={null} onChoose={then(() => setOpen("json"))}>
                {editing ? "Edit JSON" : "Show JSON"}
              </Choice>
              {draft.source === "saved" && (
                <Choice chosen={null} onChoose={then(() => setOpen("delete"))}>
                  Delete
                </Choice>
              )}
            </>
          );
        }}
      </Choices>
      {open === "lacking" && (
        <Dialog title="What is not shown" onClose={close}>
          <p>The file asks for this, and it stays in the file; Narrows does not draw it yet.</p>
          <LackingList lacking={lacking} />
        </Dialog>
      )}
      {open === "json" && draft.text !== undefined && (
        <JsonDialog
          title={`JSON of ${title}`}
          text={draft.text}
          onDone={
            editing
              ? (text) => {
                  draft.change(text);
                  close();
                }
              : null
          }
          onClose={close}
        />
      )}
      {open === "saveAs" && (
        <SaveAs
          title={title}
          onSave={(next) => {
            draft.saveAs(next);
            close();
          }}
          onClose={close}
        />
      )}
      {open === "delete" && <DeleteDialog uid={uid} title={title} onClose={close} />}
    </>
  );
}

function SaveProblem({ draft }: { draft: Draft }) {
  const conflict = draft.error instanceof ApiError && draft.error.code === "conflict";
  return (
    <span className={`${dialog.error} ${dialog.row}`} role="alert">
      {conflict
        ? "Not saved: somebody else changed this dashboard since you opened it."
        : `Not saved: ${sentence(draft.error?.message ?? "")}`}
      {conflict && (
        <button type="button" className="button button-small" onClick={() => draft.save(true)}>
          Replace their change
        </button>
      )}
    </span>
  );
}

interface SaveAsProps {
  title: string;
  onSave: (title: string) => void;
  onClose: () => void;
}

function SaveAs({ title, onSave, onClose }: SaveAsProps) {
  const [name, setName] = useState(`${title} (copy)`);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() !== "") onSave(name.trim());
  };
  return (
    <Dialog title="Save as a new dashboard" onClose={onClose}>
      <form onSubmit={submit} className={dialog.row}>
        <label className={`${dialog.label} grow`}>
          Title
          <input
            className="field"
            maxLength={500}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        </label>
        <button type="submit" className="button button-primary" disabled={name.trim() === ""}>
          Save
        </button>
      </form>
    </Dialog>
  );
}

/** Asks by name. */
export function DeleteDialog({ uid, title, onClose }: { uid: string; title: string; onClose: () => void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const remove = useMutation({
    mutationFn: () => deleteDashboard(uid),
    onSuccess: () => {
      client.removeQueries({ queryKey: dashboardKey(uid) });
      void client.invalidateQueries({ queryKey: dashboardsKey });
      onClose();
      void navigate({ to: "/dashboards" });
    },
  });
  return (
    <Dialog title={`Delete “${title}” for everyone?`} onClose={onClose}>
      <p>If Narrows came with a dashboard of the same name, that one is there again.</p>
      {remove.error && (
        <p className={dialog.error} role="alert">
          {sentence(remove.error.message)}
        </p>
      )}
      <div className={dialog.row}>
        <button
          type="button"
          className={`button ${dialog.danger}`}
          disabled={remove.isPending}
          onClick={() => remove.mutate()}
        >
          Delete {title}
        </button>
        <button type="button" className="button button-quiet" onClick={onClose}>
          Cancel
        </button>
      </div>
    </Dialog>
  );
}
