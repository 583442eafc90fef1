import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo, useRef } from "react";
import type { Stored, Watch } from "../../api/bottlenecks";
import { PageHeader } from "../../app/PageHeader";
import { Failed } from "../../components/Failed";
import { FindField } from "../../components/FindField";
import list from "../../components/List.module.css";
import { Message } from "../../components/Message";
import { useFindText } from "../../components/useFindText";
import { useShortcuts } from "../../components/useShortcuts";
import { formatCount } from "../../lib/number";
import { ClockTools } from "../alerts/ClockTools";
import { Stale } from "../alerts/states";
import { hasWords } from "../services/rows";
import styles from "./Bottlenecks.module.css";
import { entityText, kindText, type State, stateOf, symptomText, unwatchedText } from "./model";
import { decodeListView, encodeListView, type ListView, listStates, type ShownState } from "./url";
import { listLimit, useVerdictList } from "./useVerdicts";
import { VerdictRow } from "./VerdictRow";

const route = getRouteApi("/bottlenecks");

const sections: { state: State; title: string; note: string }[] = [
  { state: "open", title: "Open", note: "newest first" },
  {
    state: "not_localised",
    title: "Not localised",
    note: "something is worse, and nobody explains a quarter of it",
  },
  { state: "closed", title: "Closed", note: "newest first" },
];
const stateNames: Record<ShownState, string> = {
  all: "All",
  open: "Open",
  not_localised: "Not localised",
  closed: "Closed",
};

/** Every verdict: what goes on now, then what is over. */
export function BottlenecksPage() {
  const view = decodeListView(route.useSearch() as Record<string, unknown>);
  const navigate = route.useNavigate();
  const verdicts = useVerdictList(view.refreshS);
  const page = useRef<HTMLElement>(null);
  const update = (change: Partial<ListView>) =>
    void navigate({ search: encodeListView({ ...view, ...change }), replace: change.state === undefined });
  const [text, setText] = useFindText(view.filter, (filter) => update({ filter }));
  const move = (by: number) => {
    const links = [...(page.current?.querySelectorAll<HTMLElement>("a[data-verdict]") ?? [])];
    const at = links.indexOf(document.activeElement as HTMLElement);
    links[at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + by))]?.focus();
  };
  useShortcuts({ j: () => move(1), k: () => move(-1) });
  const found = useMemo(
    () => (verdicts.data?.verdicts ?? []).filter((stored) => hasWords(wordsOf(stored), text)),
    [verdicts.data, text],
  );
  const refresh = () => void verdicts.refetch();
  const count = (state: ShownState) =>
    state === "all" ? found.length : found.filter((stored) => stateOf(stored) === state).length;
  return (
    <>
      <PageHeader title="Bottlenecks">
        <ClockTools clock={view} onRefresh={refresh} onChange={update} />
      </PageHeader>
      <main ref={page} className={list.page}>
        <div className={list.tools}>
          <FindField
            label="Find a verdict"
            placeholder="Find: service, cause, operation"
            text={text}
            onText={setText}
          />
          <fieldset className={list.states} aria-label="Show">
            {listStates.map((state) => (
              <button
                key={state}
                type="button"
                className="button button-small"
                aria-pressed={view.state === state}
                onClick={() => update({ state })}
              >
                {stateNames[state]} <span className="text3">{formatCount(count(state))}</span>
              </button>
            ))}
          </fieldset>
          {verdicts.data && (
            <Stale error={verdicts.error} sinceMs={verdicts.dataUpdatedAt} zone={view.zone} />
          )}
        </div>
        {verdicts.error && !verdicts.data ? (
          <Failed error={verdicts.error} onRetry={refresh} />
        ) : !verdicts.data ? (
          <div className={`panel skeleton ${list.skeleton}`} />
        ) : (
          <Found
            all={verdicts.data.verdicts}
            watch={verdicts.data}
            found={found}
            view={view}
            onAll={() => update({ filter: "", state: "all" })}
          />
        )}
      </main>
    </>
  );
}

/** What a verdict is searched by. */
function wordsOf({ id, verdict: { headline, symptom, culprit, contributors } }: Stored): string {
  const named = [culprit, ...contributors].flatMap((one) =>
    one === null ? [] : [entityText(one.entity), kindText(one), one.resource],
  );
  return [id, headline, symptomText(symptom), ...named].join(" ");
}

interface FoundProps {
  all: Stored[];
  watch: Watch;
  found: Stored[];
  view: ListView;
  onAll: () => void;
}

function Found({ all, watch, found, view, onAll }: FoundProps) {
  const shown = sections
    .filter(({ state }) => view.state === "all" || view.state === state)
    .map((section) => ({ ...section, verdicts: found.filter((stored) => stateOf(stored) === section.state) }))
    .filter(({ verdicts }) => verdicts.length > 0);
  const unwatched = unwatchedText(watch, view.zone);
  if (all.length === 0 && unwatched)
    return <Message title="No verdict">{`${unwatched.title} ${unwatched.why}`}</Message>;
  if (all.length === 0)
    return (
      <Message
        title="No verdict yet"
        actions={
          <Link to="/services" className="button">
            How to send traces
          </Link>
        }
      >
        When requests from outside get slower or fail more than they usually do, a verdict says here which
        service, operation and resource is the bottleneck. It needs traces, and about ten minutes of them to
        compare with.
      </Message>
    );
  if (shown.length === 0)
    return (
      <Message
        title={
          view.filter === ""
            ? `No verdict is ${stateNames[view.state].toLowerCase()}`
            : "No verdict is like this"
        }
        actions={
          <button type="button" className="button" onClick={onAll}>
            Show all {formatCount(all.length)}
          </button>
        }
      />
    );
  const nowMs = Date.now();
  return (
    <>
      {shown.map(({ state, title, note, verdicts }) => (
        <section key={state} className={`panel ${styles.panel}`} aria-label={title}>
          <div className={list.head}>
            <h2>{title}</h2>
            <span className="text3 small">
              {formatCount(verdicts.length)}, {note}
            </span>
          </div>
          <ul>
            {verdicts.map((stored) => (
              <VerdictRow key={stored.id} stored={stored} zone={view.zone} nowMs={nowMs} />
            ))}
          </ul>
        </section>
      ))}
      {all.length >= listLimit && (
        <p className="text3 small">The newest {formatCount(listLimit)}; older ones open by their links.</p>
      )}
    </>
  );
}
