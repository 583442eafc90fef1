import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { type KeptDashboard, saveDashboard } from "../../api/dashboards";
import { replacedAt } from "../../lib/dashboard/text";
import { dashboardKey, dashboardsKey } from "./keys";
import { readText } from "./useDashboard";

export interface Draft {
  /** What is shown: the changes that are not saved, or what is kept. */
  text: string | undefined;
  changed: boolean;
  change: (text: string) => void;
  discard: () => void;
  /** `replace`: whatever somebody else made of it meanwhile. */
  save: (replace?: boolean) => void;
  saveAs: (title: string) => void;
  saving: boolean;
  saved: boolean;
  error: Error | null;
  source: "shipped" | "saved" | null;
}

/** Changes live on this page until they are saved. */
export function useDraft(uid: string, kept: KeptDashboard | undefined): Draft {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [draft, setDraft] = useState<{ uid: string; text: string } | null>(null);
  const own = draft?.uid === uid ? draft.text : null;
  const text = own ?? kept?.text;
  const mutation = useMutation({
    mutationFn: ({ body, revision }: { body: string; revision: number | null }) =>
      saveDashboard(body, revision),
    onSuccess: (answer) => {
      const savedUid = uidOf(answer.text) ?? uid;
      client.setQueryData(dashboardKey(savedUid), answer);
      void client.invalidateQueries({ queryKey: dashboardsKey });
      setDraft(null);
      if (savedUid !== uid) void navigate({ to: "/d/$uid", params: { uid: savedUid } });
    },
  });
  const changed = own !== null && own !== kept?.text;
  useEffect(() => {
    if (!changed) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, [changed]);
  return {
    text,
    changed,
    change: (next) => {
      mutation.reset();
      setDraft({ uid, text: next });
    },
    discard: () => {
      mutation.reset();
      setDraft(null);
    },
    save: (replace = false) => {
      if (text !== undefined && !mutation.isPending)
        mutation.mutate({ body: text, revision: replace ? null : (kept?.revision ?? null) });
    },
    saveAs: (title) => {
      if (text !== undefined)
        mutation.mutate({
          body: replacedAt(replacedAt(text, ["title"], title), ["uid"], null),
          revision: null,
        });
    },
    saving: mutation.isPending,
    saved: mutation.isSuccess && !changed,
    error: mutation.error,
    source: kept?.source ?? null,
  };
}

export function uidOf(text: string): string | null {
  return readText(text).dashboard?.uid ?? null;
}
