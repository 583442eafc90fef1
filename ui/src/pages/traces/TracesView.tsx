import { useNavigate } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { ApiError } from "../../api/http";
import type { QueryError } from "../../api/logs";
import { FacetsButton, FacetsSide, useFacetsPlace } from "../../components/facets/FacetsSide";
import { useFacets } from "../../components/facets/useFacets";
import { QueryBar } from "../../components/query/QueryBar";
import type { LiveSpan } from "../../components/time/useSpan";
import { useZoom } from "../../components/time/useZoom";
import { useShortcuts } from "../../components/useShortcuts";
import { ResultTable } from "../logs/ResultTable";
import { Scatter } from "./list/Scatter";
import { SearchFailed } from "./list/SearchFailed";
import { SummaryLine } from "./list/SummaryLine";
import { LoadingRows, NothingMatched } from "./list/states";
import { TraceRows } from "./list/TraceRows";
import styles from "./TracesView.module.css";
import { limits, type TracesView as View } from "./url";
import { usePoints, useTraceSearch } from "./useTraces";

interface TracesViewProps {
  view: View;
  live: LiveSpan;
  onChange: (change: Partial<View>) => void;
}

export function TracesView({ view, live, onChange }: TracesViewProps) {
  const { span, generation, refresh } = live;
  const navigate = useNavigate();
  const question = { query: view.query, span, generation };
  const search = useTraceSearch(question, view);
  const points = usePoints(question);
  const place = useFacetsPlace();
  const facets = useFacets(question, place.shown);
  const input = useRef<HTMLTextAreaElement>(null);
  const [asTable, setAsTable] = useState(false);
  const zoom = useZoom(view.range, (range) => onChange({ range }));
  useShortcuts({
    "/": () => input.current?.focus(),
    "Shift T": () => setAsTable((shown) => !shown),
  });
  const run = (query: string) => {
    if (query !== view.query) onChange({ query });
    else refresh();
  };
  const open = (traceId: string, spanId?: string) =>
    void navigate({
      to: "/traces/$traceId",
      params: { traceId },
      search: { ...(spanId && { span: spanId }), ...(view.zone === "local" && { zone: "local" as const }) },
    });
  const { error } = search;
  const answer = error ? undefined : search.data;
  const further = limits.find((limit) => limit > view.limit);
  return (
    <main className={styles.page}>
      <QueryBar
        ref={input}
        query={view.query}
        span={span}
        running={search.isFetching || points.isFetching}
        runError={queryErrorOf(error)}
        onRun={run}
      />
      <div className={styles.body}>
        <FacetsSide
          place={place}
          facets={facets}
          question={question}
          onQuery={(query) => onChange({ query })}
          onRetry={refresh}
        />
        <div className={styles.answer}>
          <SummaryLine
            answer={answer}
            points={error ? undefined : points.data}
            question={search.isPlaceholderData ? null : `${view.query} ${view.range.from} ${view.range.to}`}
            order={view.order}
            onOrder={(order) => onChange({ order })}
            tools={<FacetsButton place={place} />}
          />
          {!error && (
            <Scatter
              answer={points.data}
              error={points.error}
              span={span}
              zone={view.zone}
              stale={points.isPlaceholderData}
              asTable={asTable}
              onAsTable={setAsTable}
              onOpen={open}
              onRetry={refresh}
              {...zoom}
            />
          )}
          {error ? (
            <SearchFailed error={error} onRetry={refresh} />
          ) : !answer ? (
            <LoadingRows />
          ) : answer.table ? (
            <ResultTable table={answer.table} zone={view.zone} />
          ) : answer.traces.length === 0 ? (
            <NothingMatched view={view} span={span} onChange={onChange} />
          ) : (
            <TraceRows
              traces={answer.traces}
              view={view}
              span={span}
              stale={search.isPlaceholderData}
              more={
                answer.traces.length >= view.limit && further !== undefined
                  ? { limit: further, onMore: () => onChange({ limit: further }) }
                  : null
              }
              onOpen={open}
            />
          )}
        </div>
      </div>
    </main>
  );
}

/** The query itself is at fault when the server points into it. */
function queryErrorOf(error: Error | null): QueryError | null {
  return error instanceof ApiError && error.position ? error : null;
}
