import { useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { expireSilence } from "../../../api/alertmanager";
import { useMayEdit } from "../../../app/roles";
import { ConfirmDialog } from "../../../components/ConfirmDialog";
import { Failed } from "../../../components/Failed";
import { FindField } from "../../../components/FindField";
import { Icon } from "../../../components/Icon";
import list from "../../../components/List.module.css";
import { Message } from "../../../components/Message";
import { useFindText } from "../../../components/useFindText";
import { useShortcuts } from "../../../components/useShortcuts";
import { formatCount, plural } from "../../../lib/number";
import { AlertsHeader } from "../AlertsHeader";
import { countStates, expiryText, type ListedSilence, listOf, shownOf } from "./model";
import { SilencesTable } from "./SilencesTable";
import { decodeSilencesView, encodeSilencesView, type SilencesView, silenceStates } from "./url";
import { useOpenAlerts, useSilences } from "./useSilences";

const route = getRouteApi("/alerts/silences");

/** Which alerts are kept quiet, until when, by whom and why. */
export function SilencesPage() {
  const view = decodeSilencesView(route.useSearch() as Record<string, unknown>);
  const navigate = route.useNavigate();
  const { data, error, isPending, refetch } = useSilences();
  const alerts = useOpenAlerts();
  const client = useQueryClient();
  const { allowed, why } = useMayEdit();
  const [ending, setEnding] = useState<ListedSilence | null>(null);
  useShortcuts({ r: () => void refetch() });
  const update = (change: Partial<SilencesView>) =>
    void navigate({ search: encodeSilencesView({ ...view, ...change }), replace: true });
  const [filter, setFilter] = useFindText(view.filter, (text) => update({ filter: text }));

  const nowMs = Date.now();
  const all = listOf(data ?? [], alerts.data ?? null, nowMs);
  const counts = countStates(all);
  const shown = shownOf(all, { state: view.state, filter });
  const create = allowed ? (
    <Link to="/alerts/silences/new" className="button button-primary">
      <Icon name="plus" small />
      New silence
    </Link>
  ) : (
    <button type="button" className="button button-primary" disabled title={why ?? undefined}>
      New silence
    </button>
  );
  return (
    <>
      <AlertsHeader title="Silences" shown="silences">
        <span className="text3 small">{data && <>checked every 15&nbsp;s</>}</span>
      </AlertsHeader>
      <main className={list.page}>
        <div className={list.tools}>
          {all.length > 0 && (
            <>
              <FindField
                label="Find a silence"
                placeholder="Find by matcher, author, comment"
                text={filter}
                onText={setFilter}
              />
              <fieldset className={list.states} aria-label="State">
                {silenceStates.map((state) => (
                  <button
                    key={state}
                    type="button"
                    className="button button-small"
                    aria-pressed={view.state === state}
                    onClick={() => update({ state: view.state === state ? null : state })}
                  >
                    {state} <span className="text3 tabular">{formatCount(counts[state])}</span>
                  </button>
                ))}
              </fieldset>
            </>
          )}
          {data && (
            <span className="text3 small" aria-live="polite">
              {plural(shown.length, "silence")}
              {view.state === null && " in force or to come"}
            </span>
          )}
          <span className="grow" />
          {create}
        </div>
        {!allowed && <p className="text3 small">{why}</p>}
        {error && !data ? (
          <Failed error={error} onRetry={() => void refetch()} />
        ) : isPending ? (
          <div className={`panel skeleton ${list.skeleton}`} />
        ) : shown.length > 0 ? (
          <SilencesTable silences={shown} nowMs={nowMs} onExpire={setEnding} />
        ) : filter.trim() !== "" || view.state !== null ? (
          <Message
            title="No silence is like this"
            actions={
              <button
                type="button"
                className="button"
                onClick={() => {
                  setFilter("");
                  update({ filter: "", state: null });
                }}
              >
                Show what is in force
              </button>
            }
          />
        ) : (
          <Message title="Nothing is silenced">
            A silence keeps the alerts with some labels quiet until a time: nobody is told of them, and they
            stay on the list. {counts.expired > 0 && `${plural(counts.expired, "silence")} ended lately.`}
          </Message>
        )}
      </main>
      {ending && (
        <ConfirmDialog
          title={`End the silence ${ending.filter}?`}
          action="End the silence"
          run={() => expireSilence(ending.silence.id)}
          onDone={() => {
            setEnding(null);
            void client.invalidateQueries({ predicate: ({ queryKey }) => ofAlerts.has(String(queryKey[0])) });
          }}
          onClose={() => setEnding(null)}
        >
          <p>“{ending.silence.comment}”</p>
          <p>{expiryText(ending)}</p>
        </ConfirmDialog>
      )}
    </>
  );
}

/** The first parts of the keys of answers that the end of a silence changes. */
const ofAlerts = new Set(["alerts", "alertmanager", "silences"]);
