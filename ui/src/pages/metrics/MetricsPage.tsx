import { useElementSize, useMediaQuery } from "@mantine/hooks";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { PageHeader } from "../../app/PageHeader";
import { useInstants, useRanges } from "../../components/chart/useAnswers";
import { Icon } from "../../components/Icon";
import { TimeTools } from "../../components/time/TimeTools";
import { useSpan } from "../../components/time/useSpan";
import { useZoom } from "../../components/time/useZoom";
import { useShortcuts } from "../../components/useShortcuts";
import { firstQuery, selectorOf, withMatcher } from "../../lib/promql/edit";
import { gridOf, stepFor } from "../../lib/promql/range";
import { formatDuration } from "../../lib/time/format";
import { absoluteRange } from "../../lib/time/range";
import { encodeLogsView, plainView as plainLogs } from "../logs/url";
import { MetricBrowser } from "./browser/MetricBrowser";
import type { EditorHandle } from "./editor/props";
import { GraphPanel } from "./GraphPanel";
import { MetricsActions } from "./MetricsActions";
import styles from "./MetricsPage.module.css";
import { QueryRow } from "./QueryRow";
import {
  decodeMetricsView,
  emptyQuery,
  encodeMetricsView,
  type MetricsQuery,
  type MetricsView,
  maxQueries,
} from "./url";
import { useMetadata } from "./useMetrics";
import { ValuesPanel } from "./ValuesPanel";

const route = getRouteApi("/explore");

/** Metrics: queries in PromQL, their values over time or now, and the metrics that there are. */
export function MetricsPage() {
  const view = decodeMetricsView(route.useSearch() as Record<string, unknown>);
  const navigate = route.useNavigate();
  const everyMs = view.refreshS === null ? null : view.refreshS * 1000;
  const question = JSON.stringify(view.queries.map(({ text }) => text));
  const live = useSpan(view.range, question, everyMs, false);
  const { span, generation, refresh } = live;
  const wide = useMediaQuery("(min-width: 1100px)", window.innerWidth >= 1100);
  const browserOpen = view.browser ?? wide;
  const { ref: main, width } = useElementSize<HTMLDivElement>();
  const [active, setActive] = useState(0);
  const handles = useRef<{ current: EditorHandle | null }[]>([]);
  const handle = (at: number) => {
    handles.current[at] ??= { current: null };
    return handles.current[at];
  };
  const metadata = useMetadata();

  const update = (change: Partial<MetricsView>) => {
    const replace = Object.keys(change).every((name) =>
      ["refreshS", "zone", "metric", "browser", "stack"].includes(name),
    );
    void navigate({ search: encodeMetricsView({ ...view, ...change }), replace });
  };
  const zoom = useZoom(view.range, (range) => update({ range }));
  const setQuery = (at: number, change: Partial<MetricsQuery>) =>
    update({ queries: view.queries.map((one, index) => (index === at ? { ...one, ...change } : one)) });
  const run = (at: number, text: string) => {
    if (text === view.queries[at]?.text) refresh();
    else setQuery(at, { text });
  };
  const add = () => {
    if (view.queries.length >= maxQueries) return;
    update({ queries: [...view.queries, emptyQuery] });
    setActive(view.queries.length);
  };
  const remove = (at: number) => {
    const rest = view.queries.filter((_, index) => index !== at);
    handles.current.splice(at, 1);
    update({ queries: rest.length > 0 ? rest : [emptyQuery] });
    setActive(0);
  };
  useShortcuts({ "/": () => handle(Math.min(active, view.queries.length - 1)).current?.focus() });

  const grid = gridOf(span, stepFor(span.endMs - span.startMs, Math.max(100, width - 60)));
  const measured = width > 0;
  const wanted = view.queries.map(({ text, hidden }) => (hidden || text.trim() === "" ? null : text));
  const ranges = useRanges(
    wanted.map((text) => ({ text, grid, generation, enabled: measured && view.tab === "graph" })),
  );
  const timeS = Math.floor(span.endMs / 1000);
  const instants = useInstants(
    wanted.map((text) => ({ text, timeS, generation, enabled: view.tab === "table" })),
  );
  const answers = view.tab === "graph" ? ranges : instants;

  const current = Math.min(active, view.queries.length - 1);
  const insertMetric = (metric: string, type: string) => {
    const text = view.queries[current]?.text.trim() ?? "";
    if (text === "") setQuery(current, { text: firstQuery(metric, type) });
    else handle(current).current?.insert(selectorOf(metric));
  };
  const insertValue = (metric: string, label: string, value: string) =>
    setQuery(current, { text: withMatcher(view.queries[current]?.text ?? "", metric, label, value) });

  return (
    <>
      <PageHeader
        title="Metrics"
        lead={
          <button
            type="button"
            className="button button-quiet"
            aria-pressed={browserOpen}
            onClick={() => update({ browser: !browserOpen })}
          >
            <Icon name="facets" small />
            <span className={styles.words}>Browse</span>
          </button>
        }
      >
        <TimeTools view={view} live={live} onChange={update} />
      </PageHeader>
      <MetricsActions view={view} onChange={update} onAdd={add} />
      <main className={styles.page}>
        {browserOpen && (
          <MetricBrowser
            span={span}
            open={view.metric}
            onOpen={(metric) => update({ metric })}
            onMetric={insertMetric}
            onValue={insertValue}
          />
        )}
        <div ref={main} className={styles.main}>
          <section className={styles.queries} aria-label="Queries">
            {view.queries.map((query, at) => (
              <QueryRow
                // biome-ignore lint/suspicious/noArrayIndexKey: a query is its place
                key={`${at} ${view.queries.length}`}
                at={at}
                query={query}
                span={span}
                handle={handle(at)}
                error={answers[at]?.error ?? null}
                running={answers[at]?.isFetching ?? false}
                single={view.queries.length === 1}
                onFocus={() => setActive(at)}
                onRun={(text) => run(at, text)}
                onChange={(change) => setQuery(at, change)}
                onRemove={() => remove(at)}
              />
            ))}
            <div className={styles.tools}>
              <button
                type="button"
                className="button button-quiet button-small"
                disabled={view.queries.length >= maxQueries}
                title={view.queries.length >= maxQueries ? `At most ${maxQueries} queries` : undefined}
                onClick={add}
              >
                <Icon name="plus" small />
                Add query
              </button>
              <span className="grow" />
              <Link
                to="/logs"
                search={encodeLogsView({ ...plainLogs, range: absoluteRange(span), zone: view.zone })}
                className="button button-small"
              >
                <Icon name="logs" small />
                Logs for this time
              </Link>
            </div>
          </section>
          <div className={styles.tabs}>
            <div role="tablist" aria-label="Answer" className={styles.tablist}>
              {(["graph", "table"] as const).map((tab) => (
                <button
                  key={tab}
                  type="button"
                  role="tab"
                  className={styles.tab}
                  aria-selected={view.tab === tab}
                  onClick={() => update({ tab })}
                >
                  {tab === "graph" ? "Graph" : "Table"}
                </button>
              ))}
            </div>
            <span className="grow" />
            {view.tab === "graph" && (
              <>
                <span className="text3 small">a value per {formatDuration(grid.stepS * 1000)}</span>
                <button
                  type="button"
                  className="button button-quiet button-small"
                  aria-pressed={view.stack}
                  onClick={() => update({ stack: !view.stack })}
                >
                  Stack
                </button>
              </>
            )}
          </div>
          {view.tab === "graph" ? (
            <GraphPanel
              view={view}
              span={span}
              grid={grid}
              answers={ranges}
              generation={generation}
              metadata={metadata.data ?? {}}
              onChange={update}
              onRetry={refresh}
              {...zoom}
            />
          ) : (
            <ValuesPanel
              view={view}
              span={span}
              answers={instants}
              metadata={metadata.data ?? {}}
              onChange={update}
              onRetry={refresh}
            />
          )}
        </div>
      </main>
    </>
  );
}
