import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useEffect, useMemo, useRef, useState } from "react";
import { ApiError } from "../../api/http";
import { PageHeader } from "../../app/PageHeader";
import { Icon } from "../../components/Icon";
import { Message } from "../../components/Message";
import { TimeTools } from "../../components/time/TimeTools";
import { useSpan } from "../../components/time/useSpan";
import { useZoom } from "../../components/time/useZoom";
import { useShortcuts } from "../../components/useShortcuts";
import { type PlacedPanel, placeSections } from "../../lib/dashboard/layout";
import { scopeOf } from "../../lib/dashboard/resolve";
import { defaultRange, resolveRange } from "../../lib/time/range";
import { headline, sentence } from "../../lib/words";
import styles from "./DashboardPage.module.css";
import { DashboardTools } from "./DashboardTools";
import { EditPanel } from "./EditPanel";
import { InspectPanel } from "./InspectPanel";
import { Sections } from "./Sections";
import { type DashboardView, decodeDashboardView, encodeDashboardView } from "./url";
import { useKept, useRead, useVariables } from "./useDashboard";
import { useDraft } from "./useDraft";
import { Variables } from "./Variables";

const route = getRouteApi("/d/$uid");

type Open =
  | { kind: "inspect"; placed: PlacedPanel; queries: string[] }
  | { kind: "edit"; placed: PlacedPanel };

/** One dashboard: its variables, then its panels. Everything that is chosen is in the address. */
export function DashboardPage() {
  const { uid } = route.useParams();
  const view = decodeDashboardView(route.useSearch() as Record<string, unknown>);
  const navigate = useNavigate();
  const kept = useKept(uid);
  const draft = useDraft(uid, kept.data);
  const { dashboard, problem } = useRead(draft.text);
  const [open, setOpen] = useState<Open | null>(null);
  const pointed = useRef<string | null>(null);

  const own = dashboard?.range && resolveRange(dashboard.range, Date.now()) ? dashboard.range : defaultRange;
  const range = view.range ?? own;
  const refreshS = (view.refreshS ?? dashboard?.refreshS ?? 0) || null;
  const live = useSpan(range, uid, refreshS === null ? null : refreshS * 1000, false);
  const { span, generation, refresh } = live;
  const update = (change: Partial<DashboardView>) => {
    const replace = Object.keys(change).every((name) => ["zone", "refreshS", "turned"].includes(name));
    void navigate({
      to: "/d/$uid",
      params: { uid },
      search: encodeDashboardView({ ...view, ...change }),
      replace,
    });
  };
  const zoom = useZoom(range, (next) => update({ range: next }));
  const builtIns = useMemo(
    () => ({ startMs: span.startMs, endMs: span.endMs, stepS: 60, scrapeS: 15 }),
    [span.startMs, span.endMs],
  );
  const variables = useVariables(dashboard, view.variables, builtIns);
  const resolved = variables.data;
  const scope = useMemo(() => scopeOf(resolved ?? [], builtIns), [resolved, builtIns]);
  const sections = useMemo(() => (dashboard ? placeSections(dashboard, scope) : []), [dashboard, scope]);

  const toggleFull = (key: string) => update({ panel: view.panel === key ? null : key });
  const toggleEdit = () => update({ editing: !view.editing });
  useShortcuts({
    v: () => {
      const key = view.panel ?? pointed.current;
      if (key !== null) toggleFull(key);
    },
    "Shift E": toggleEdit,
    ...(view.panel !== null && { Escape: () => update({ panel: null }) }),
  });
  const save = useRef(() => {});
  save.current = () => draft.changed && draft.save();
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "s") return;
      event.preventDefault();
      save.current();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);

  const title = dashboard?.title ?? "Dashboard";
  const missing = kept.error instanceof ApiError && kept.error.status === 404;
  return (
    <>
      <PageHeader
        title={title}
        lead={
          <Link to="/dashboards" className={styles.crumb} aria-label="Dashboards">
            <Icon name="dashboards" small />
            <span className={styles.words}>Dashboards</span>
          </Link>
        }
      >
        <TimeTools
          view={{ range, zone: view.zone, refreshS }}
          live={live}
          onChange={(change) =>
            update({
              ...change,
              ...("refreshS" in change && { refreshS: change.refreshS ?? 0 }),
            } as Partial<DashboardView>)
          }
        />
      </PageHeader>
      <main className={styles.page}>
        {kept.error && !kept.data ? (
          <Message
            kind="error"
            title={missing ? `There is no dashboard ${uid}` : headline(kept.error.message)}
            actions={
              <>
                {!missing && (
                  <button type="button" className="button" onClick={() => void kept.refetch()}>
                    Try again
                  </button>
                )}
                <Link to="/dashboards" className="button">
                  All dashboards
                </Link>
              </>
            }
          >
            {missing
              ? "It may have been deleted, or its address is misspelt."
              : kept.error instanceof ApiError && kept.error.hint
                ? sentence(kept.error.hint)
                : null}
          </Message>
        ) : (
          <>
            {(dashboard || problem !== null) && (
              <div className={styles.bar}>
                {resolved && (
                  <Variables
                    variables={resolved}
                    onChoose={(name, values) => update({ variables: { ...view.variables, [name]: values } })}
                  />
                )}
                <span className="grow" />
                <DashboardTools
                  uid={uid}
                  dashboard={dashboard}
                  draft={draft}
                  editing={view.editing}
                  onEdit={toggleEdit}
                />
              </div>
            )}
            {problem !== null && (
              <Message kind="error" title="This dashboard cannot be read">
                {sentence(problem)} Its JSON is kept; it can be mended by “Edit”, then “JSON”.
              </Message>
            )}
            {!dashboard && problem === null && <div className={`panel skeleton ${styles.skeleton}`} />}
            {dashboard && sections.length === 0 && (
              <Message title="The dashboard has no panels">Edit its JSON, or import another one.</Message>
            )}
            {dashboard && (
              <Sections
                sections={sections}
                view={view}
                lacking={dashboard.lacking}
                span={span}
                generation={generation}
                ready={resolved !== undefined}
                onTurn={(key) =>
                  update({
                    turned: view.turned.includes(key)
                      ? view.turned.filter((one) => one !== key)
                      : [...view.turned, key],
                  })
                }
                onPoint={(key) => {
                  pointed.current = key;
                }}
                onFull={toggleFull}
                onInspect={(placed, queries) => setOpen({ kind: "inspect", placed, queries })}
                onEdit={(placed) => setOpen({ kind: "edit", placed })}
                onRetry={refresh}
                {...zoom}
              />
            )}
          </>
        )}
      </main>
      {open?.kind === "inspect" && draft.text !== undefined && (
        <InspectPanel
          placed={open.placed}
          queries={open.queries}
          text={draft.text}
          onClose={() => setOpen(null)}
        />
      )}
      {open?.kind === "edit" && draft.text !== undefined && (
        <EditPanel
          panel={open.placed.panel}
          text={draft.text}
          onDone={(text) => {
            draft.change(text);
            setOpen(null);
          }}
          onClose={() => setOpen(null)}
        />
      )}
    </>
  );
}
