import { getRouteApi } from "@tanstack/react-router";
import { useMemo, useRef } from "react";
import { useShortcuts } from "../../components/useShortcuts";
import { formatMatchers, type Matcher, matchesAll, parseMatchers } from "../../lib/matchers";
import { AlertGroups } from "./AlertGroups";
import styles from "./Alerts.module.css";
import { AlertsHeader } from "./AlertsHeader";
import { ClockTools } from "./ClockTools";
import { FilterBox } from "./FilterBox";
import { FilterChips } from "./FilterChips";
import { groupsOf, severityOf, sortAlerts, stateOf } from "./model";
import { NoAlerts, NothingFound, Refused, Stale } from "./states";
import { type AlertsView, decodeAlertsView, encodeAlertsView } from "./url";
import { useAlerts } from "./useAlerts";

const route = getRouteApi("/alerts");

/** Every alert that is open, by rule, what calls for somebody first; what ended in the last days on request. */
export function AlertsPage() {
  const view = decodeAlertsView(route.useSearch() as Record<string, unknown>);
  const navigate = route.useNavigate();
  const { data, error, isPending, refetch, dataUpdatedAt } = useAlerts(view.refreshS);
  const nowMs = Date.now();
  const list = useRef<HTMLDivElement>(null);
  const update = (change: Partial<AlertsView>) =>
    void navigate({ search: encodeAlertsView({ ...view, ...change }), replace: true });
  const move = (by: number) => {
    const links = [...(list.current?.querySelectorAll<HTMLElement>("a[data-alert]") ?? [])];
    const at = links.indexOf(document.activeElement as HTMLElement);
    links[at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + by))]?.focus();
  };
  useShortcuts({ j: () => move(1), k: () => move(-1) });

  const { matchers, fault } = useMemo(() => parseMatchers(view.filter), [view.filter]);
  const all = data ?? [];
  const matching = useMemo(
    () => (data ?? []).filter(({ labels }) => fault !== null || matchesAll(matchers, labels)),
    [data, matchers, fault],
  );
  const ofState = (alert: (typeof all)[number]) =>
    view.states.length === 0 ? alert.state !== "resolved" : view.states.includes(stateOf(alert));
  const ofSeverity = (alert: (typeof all)[number]) =>
    view.severities.length === 0 || view.severities.includes(severityOf(alert.labels));
  const shown = sortAlerts(matching.filter(ofState).filter(ofSeverity), view.sort, nowMs);
  const addMatcher = (name: string, value: string) => {
    const rest = matchers.filter((matcher) => matcher.name !== name);
    const added: Matcher[] = [...rest, { name, op: "=", value }];
    update({ filter: formatMatchers(added) });
  };
  return (
    <>
      <AlertsHeader title="Alerts" shown="alerts">
        <ClockTools clock={view} onRefresh={() => void refetch()} onChange={update} />
      </AlertsHeader>
      <main className={styles.page}>
        <FilterBox filter={view.filter} onFilter={(filter) => update({ filter })} />
        <FilterChips
          view={view}
          byState={matching.filter(ofSeverity)}
          bySeverity={matching.filter(ofState)}
          shown={shown.length}
          onChange={update}
        />
        {data && <Stale error={error} sinceMs={dataUpdatedAt} zone={view.zone} />}
        <div ref={list} className={styles.groups}>
          {error && all.length === 0 ? (
            <Refused error={error} onRetry={() => void refetch()} />
          ) : isPending ? (
            <Skeleton />
          ) : shown.length > 0 ? (
            <AlertGroups groups={groupsOf(shown)} view={view} nowMs={nowMs} onFilter={addMatcher} />
          ) : all.some(({ state }) => state !== "resolved") || isNarrowed(view) ? (
            <NothingFound alerts={all} onAll={() => update({ filter: "", states: [], severities: [] })} />
          ) : (
            <NoAlerts ended={all.length} onEnded={() => update({ states: ["resolved"] })} />
          )}
        </div>
      </main>
    </>
  );
}

function isNarrowed({ filter, states, severities }: AlertsView): boolean {
  return filter !== "" || states.length > 0 || severities.length > 0;
}

function Skeleton() {
  return (
    <>
      <span className="visually-hidden" role="status">
        Asking
      </span>
      {[120, 76, 76].map((height, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they never change
        <div key={at} className="panel skeleton" style={{ height }} />
      ))}
    </>
  );
}
