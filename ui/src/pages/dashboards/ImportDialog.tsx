import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { type DashboardRow, saveDashboard } from "../../api/dashboards";
import { ApiError } from "../../api/http";
import { Dialog } from "../../components/Dialog";
import styles from "../../components/Dialog.module.css";
import { plural } from "../../lib/number";
import { sentence } from "../../lib/words";
import { checkImport, withoutUid } from "./import";
import { dashboardKey, dashboardsKey } from "./keys";
import { LackingList } from "./LackingList";
import { uidOf } from "./useDraft";

interface ImportDialogProps {
  known: DashboardRow[];
  onClose: () => void;
}

/** A file or a text, then a check of what is in it, then it is kept. */
export function ImportDialog({ known, onClose }: ImportDialogProps) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [text, setText] = useState("");
  const [unreadable, setUnreadable] = useState<string | null>(null);
  const checked = useMemo(() => (text.trim() === "" ? null : checkImport(text)), [text]);
  const same = checked?.ok ? known.find(({ uid }) => uid === checked.uid) : undefined;
  const save = useMutation({
    mutationFn: ({ body, replace }: { body: string; replace: boolean }) =>
      saveDashboard(body, replace ? null : 0),
    onSuccess: (kept) => {
      const uid = uidOf(kept.text);
      void client.invalidateQueries({ queryKey: dashboardsKey });
      onClose();
      if (uid === null) return;
      client.setQueryData(dashboardKey(uid), kept);
      void navigate({ to: "/d/$uid", params: { uid } });
    },
  });
  const read = async (file: File | undefined) => {
    if (!file) return;
    try {
      setText(await file.text());
      setUnreadable(null);
    } catch (cause) {
      setUnreadable(cause instanceof Error ? cause.message : String(cause));
    }
  };
  return (
    <Dialog title="Import a dashboard" onClose={onClose}>
      <label className={styles.label}>
        A JSON file of Grafana's
        <input
          type="file"
          accept=".json,application/json"
          aria-label="File"
          onChange={(event) => void read(event.target.files?.[0])}
        />
      </label>
      <label className={styles.label}>
        or its text
        <textarea
          className={styles.code}
          style={{ height: 160 }}
          aria-label="JSON"
          aria-invalid={checked !== null && !checked.ok}
          spellCheck={false}
          placeholder={'{"title": "…", "panels": […]}'}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </label>
      {unreadable !== null && (
        <p className={styles.error} role="alert">
          The file cannot be read: {sentence(unreadable)}
        </p>
      )}
      {checked && !checked.ok && (
        <p className={styles.error} role="alert">
          {checked.problem}
        </p>
      )}
      {checked?.ok && (
        <>
          <p>
            <span className="text1">{checked.title}</span>, {plural(checked.panels, "panel")},{" "}
            {plural(checked.variables, "variable")}.{" "}
            {checked.lacking.length === 0
              ? "Everything in it is shown."
              : `${plural(checked.lacking.length, "thing is", "things are")} not shown; the file is kept whole.`}
          </p>
          {checked.lacking.length > 0 && <LackingList lacking={checked.lacking} />}
        </>
      )}
      {save.error && (
        <p className={styles.error} role="alert">
          {save.error instanceof ApiError && save.error.code === "conflict"
            ? "A dashboard of this uid is there already: replace it, or import this one beside it."
            : sentence(save.error.message)}
        </p>
      )}
      {checked?.ok && (
        <div className={styles.row}>
          {same && <p className="text3 small">“{same.title}” has the same uid.</p>}
          <button
            type="button"
            className="button button-primary"
            disabled={save.isPending}
            onClick={() =>
              save.mutate({ body: same ? withoutUid(checked.text) : checked.text, replace: false })
            }
          >
            {same ? "Import beside it" : "Import"}
          </button>
          {same && (
            <button
              type="button"
              className="button"
              disabled={save.isPending}
              onClick={() => save.mutate({ body: checked.text, replace: true })}
            >
              Replace {same.title}
            </button>
          )}
        </div>
      )}
    </Dialog>
  );
}
