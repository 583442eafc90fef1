import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useId, useState } from "react";
import { fetchAmAlerts, saveSilence } from "../../api/alertmanager";
import { ApiError } from "../../api/http";
import { useMayEdit } from "../../app/roles";
import { useSession } from "../../app/session";
import { formatMatchers, type Matcher } from "../../lib/matchers";
import { formatDuration, formatMoment } from "../../lib/time/format";
import { type Zone, zoneLabel } from "../../lib/time/zone";
import { sentence } from "../../lib/words";
import { durationsMs, endMsOf, isClean, plainDraft, problemsOf, type SilenceDraft, silenceOf } from "./draft";
import { MatcherRows } from "./MatcherRows";
import styles from "./SilenceForm.module.css";
import { SilencePreview } from "./SilencePreview";

interface SilenceFormProps {
  initial?: Partial<SilenceDraft>;
  /** The silence that is changed. */
  id?: string;
  zone?: Zone;
  onSaved: (id: string, draft: SilenceDraft) => void;
  onCancel?: (() => void) | undefined;
}

const previewDelayMs = 250;

/** Which alerts are kept quiet, until when and why; beside it, what that is at this moment. */
export function SilenceForm({ initial, id, zone = "utc", onSaved, onCancel }: SilenceFormProps) {
  const { user } = useSession();
  const { allowed, why } = useMayEdit();
  const client = useQueryClient();
  const [draft, setDraft] = useState<SilenceDraft>({ ...plainDraft, ...initial });
  const [told, setTold] = useState(false);
  const [saving, setSaving] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  const field = useId();
  const nowMs = Date.now();
  const problems = problemsOf(draft, zone, nowMs);
  const preview = usePreview(draft.matchers, problems.matchers);
  const change = (part: Partial<SilenceDraft>) => {
    setRefusal(null);
    setDraft({ ...draft, ...part });
  };

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTold(true);
    if (!allowed || !isClean(problems)) return;
    setSaving(true);
    try {
      const saved = await saveSilence(silenceOf(draft, { id, user, zone, nowMs: Date.now() }));
      await client.invalidateQueries({ predicate: ({ queryKey }) => ofAlerts.has(String(queryKey[0])) });
      onSaved(saved, draft);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setRefusal([error.message, error.hint ?? ""].filter(Boolean).map(sentence).join(" "));
    } finally {
      setSaving(false);
    }
  };
  return (
    <form className={styles.form} aria-label="Silence" noValidate onSubmit={submit}>
      <div className={`panel ${styles.fields}`}>
        <MatcherRows
          matchers={draft.matchers}
          problems={problems.matchers}
          told={told}
          known={(preview.all ?? []).map(({ labels }) => labels)}
          disabled={!allowed}
          onChange={(matchers) => change({ matchers })}
        />
        {problems.all && <p className={styles.problem}>{problems.all}</p>}
        <End
          draft={draft}
          zone={zone}
          nowMs={nowMs}
          problem={problems.end}
          disabled={!allowed}
          onChange={change}
        />
        <div>
          <label htmlFor={`${field}-comment`}>Comment</label>
          <textarea
            id={`${field}-comment`}
            className={`field ${styles.comment}`}
            rows={2}
            placeholder="why, and who knows more"
            value={draft.comment}
            disabled={!allowed}
            aria-invalid={told && problems.comment !== null}
            aria-describedby={`${field}-comment-problem`}
            onChange={(event) => change({ comment: event.target.value })}
          />
          <p id={`${field}-comment-problem`} className={styles.problem}>
            {told && problems.comment}
          </p>
        </div>
        <p className="text3 small">
          Author <span className="text1">{user}</span>
        </p>
      </div>
      <SilencePreview {...preview} />
      <div className={styles.actions}>
        {(why || refusal) && (
          <p className={why ? "text3 small" : styles.problem} role={refusal ? "alert" : undefined}>
            {why ?? refusal}
          </p>
        )}
        <button
          type="submit"
          className="button button-primary"
          disabled={!allowed || saving}
          title={why ?? undefined}
        >
          {saving ? "Saving" : id === undefined ? "Silence" : "Save the silence"}
        </button>
        {onCancel && (
          <button type="button" className="button button-quiet" onClick={onCancel}>
            Cancel
          </button>
        )}
      </div>
    </form>
  );
}

/** The first parts of the keys of answers that a silence changes. */
const ofAlerts = new Set(["alerts", "alertmanager", "silences"]);

interface EndProps {
  draft: SilenceDraft;
  zone: Zone;
  nowMs: number;
  problem: string | null;
  disabled: boolean;
  onChange: (part: Partial<SilenceDraft>) => void;
}

function End({ draft, zone, nowMs, problem, disabled, onChange }: EndProps) {
  const id = useId();
  const endMs = endMsOf(draft, zone, nowMs);
  const shown = draft.forMs === null ? draft.untilText : formatMoment(nowMs + draft.forMs, zone);
  return (
    <fieldset className={styles.end} disabled={disabled}>
      <legend>For how long</legend>
      <div className={styles.durations}>
        {durationsMs.map((ms) => (
          <button
            key={ms}
            type="button"
            className="button button-small"
            aria-pressed={draft.forMs === ms}
            onClick={() => onChange({ forMs: ms })}
          >
            {formatDuration(ms)}
          </button>
        ))}
      </div>
      <label htmlFor={`${id}-until`}>Until, {zoneLabel(zone, endMs ?? nowMs)}</label>
      <input
        id={`${id}-until`}
        className={`field mono ${styles.until}`}
        autoComplete="off"
        spellCheck={false}
        value={shown}
        aria-invalid={problem !== null}
        aria-describedby={`${id}-problem`}
        onChange={(event) => onChange({ forMs: null, untilText: event.target.value })}
      />
      <p id={`${id}-problem`} className={problem ? styles.problem : "text3 small"} aria-live="polite">
        {problem ?? `ends in ${formatDuration((endMs ?? nowMs) - nowMs)}`}
      </p>
    </fieldset>
  );
}

/** Asked while one types: of the alerts that these matchers find, and of all. */
function usePreview(matchers: Matcher[], problems: (string | null)[]) {
  const filter = problems.every((problem) => problem === null) ? formatMatchers(matchers) : null;
  const [asked, setAsked] = useState({ filter, matchers });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the filter stands for the matchers
  useEffect(() => {
    const timer = setTimeout(() => setAsked({ filter, matchers }), previewDelayMs);
    return () => clearTimeout(timer);
  }, [filter]);
  const found = useQuery({
    queryKey: ["alertmanager", "alerts", asked.filter],
    queryFn: ({ signal }) => fetchAmAlerts(asked.matchers, signal),
    enabled: asked.filter !== null,
    placeholderData: keepPreviousData,
    staleTime: 5000,
  });
  const all = useQuery({
    queryKey: ["alertmanager", "alerts", "{}"],
    queryFn: ({ signal }) => fetchAmAlerts([], signal),
    staleTime: 5000,
  });
  return {
    matched: asked.filter === null ? null : (found.data ?? null),
    all: all.data ?? null,
    error: found.error,
  };
}
