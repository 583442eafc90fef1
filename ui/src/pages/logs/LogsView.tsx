import { lazy, Suspense, useRef, useState } from "react";
import { ApiError } from "../../api/http";
import type { LogRecord, QueryError } from "../../api/logs";
import { FacetsButton, FacetsSide, useFacetsPlace } from "../../components/facets/FacetsSide";
import { useFacets } from "../../components/facets/useFacets";
import { QueryBar } from "../../components/query/QueryBar";
import { useShortcuts } from "../../components/useShortcuts";
import { addCondition, filterBeside } from "../../lib/query/edit";
import { absoluteRange, type Range, type Span, zoomOut } from "../../lib/time/range";
import { ColumnsMenu } from "./ColumnsMenu";
import { DownloadMenu } from "./DownloadMenu";
import { HistogramPanel } from "./HistogramPanel";
import { LinkedRecord } from "./LinkedRecord";
import styles from "./LogsView.module.css";
import { PatternFacet } from "./patterns/PatternFacet";
import { PatternsTab } from "./patterns/PatternsTab";
import { usePatterns } from "./patterns/usePatterns";
import { pointedCondition } from "./pointedCondition";
import { RecordActionsContext } from "./RecordActions";
import { ResultTable } from "./ResultTable";
import { Rows } from "./Rows";
import { SummaryLine } from "./SummaryLine";
import { LoadingRows, NothingMatched, SearchFailed } from "./states";
import type { LogsView as View } from "./url";
import { useHistogram, useSearch } from "./useLogs";
import { useMarkers } from "./useMarkers";
import { usePageActions } from "./usePageActions";

/** Charts come when one is wanted: the rows do not wait for them. */
const ChartTab = lazy(async () => ({ default: (await import("./chart/ChartTab")).ChartTab }));

interface LogsViewProps {
  view: View;
  span: Span;
  generation: number;
  /** Is it known whether the tenant has any record at all? Until then "nothing matched" would be too much. */
  settled: boolean;
  lastReceivedAt: string | null;
  onChange: (change: Partial<View>) => void;
  onRefresh: () => void;
  onReading: (reading: boolean) => void;
}

export function LogsView(props: LogsViewProps) {
  const { view, span, generation, settled, lastReceivedAt, onChange, onRefresh, onReading } = props;
  const question = { query: view.query, span, generation };
  const search = useSearch(question, view.order);
  const histogram = useHistogram(question);
  const happened = useMarkers(question);
  // Beside the records they are counted once those are here: nobody waits for them.
  const searched = search.data !== undefined && !search.isPlaceholderData && !search.error;
  const patterns = usePatterns(question, view.tab === "patterns" || searched);
  const place = useFacetsPlace();
  const beside = usePatterns(
    { ...question, query: filterBeside(view.query, "pattern") },
    place.shown && (view.tab === "patterns" || searched),
  );
  const facets = useFacets(question, place.shown);
  const actions = usePageActions(view, span, facets.names, onChange);
  const zoomedFrom = useRef<Range[]>([]);
  const input = useRef<HTMLTextAreaElement>(null);
  const [asTable, setAsTable] = useState(false);
  useShortcuts({
    "/": () => input.current?.focus(),
    Escape: () =>
      onChange(view.tab === "patterns" ? { patterns: { ...view.patterns, open: null } } : { record: null }),
    // A chart has a table of its own.
    ...(view.tab !== "chart" && { "Shift T": () => setAsTable((shown) => !shown) }),
    f: () => filterByPointed(false),
    x: () => filterByPointed(true),
  });

  const run = (query: string) => {
    if (query !== view.query) onChange({ query, record: null });
    else onRefresh();
  };
  const addFilter = (condition: string, exclude: boolean) =>
    run(addCondition(view.query, condition, exclude));
  const filterByPointed = (exclude: boolean) => {
    const condition = pointedCondition();
    if (condition !== null) addFilter(condition, exclude);
  };
  const zoomTo = (target: Span) => {
    zoomedFrom.current.push(view.range);
    onChange({ range: absoluteRange(target) });
  };
  const zoomBack = () => onChange({ range: zoomedFrom.current.pop() ?? zoomOut(view.range, Date.now()) });
  const open = (record: LogRecord | null) =>
    onChange({ record: record && { id: record.id, time: record.timestamp } });

  const pages = search.data?.pages ?? [];
  const answer = pages[0];
  const records = pages.flatMap((page) => page.records);
  const running = search.isFetching || histogram.isFetching;
  // A failed next page is no reason to take away the rows that came; it is said below them.
  const error = search.isFetchNextPageError ? null : search.error;
  const linked =
    answer !== undefined &&
    !error &&
    !search.isPlaceholderData &&
    !records.some((record) => record.id === view.record?.id);

  return (
    <main className={styles.page}>
      <QueryBar
        ref={input}
        query={view.query}
        span={span}
        running={running}
        runError={queryErrorOf(error)}
        onRun={run}
      />
      <div className={styles.body}>
        <FacetsSide
          place={place}
          facets={facets}
          question={question}
          onQuery={(query) => onChange({ query, record: null })}
          onRetry={onRefresh}
          further={
            <PatternFacet
              answer={beside.data}
              failed={beside.error !== null}
              question={question}
              onQuery={(query) => onChange({ query, record: null })}
              onMore={() => onChange({ tab: "patterns" })}
            />
          }
        />
        <RecordActionsContext value={actions}>
          <div className={styles.answer}>
            <SummaryLine
              answer={error ? undefined : answer}
              histogram={error ? undefined : histogram.data}
              question={search.isPlaceholderData ? null : `${view.query} ${view.range.from} ${view.range.to}`}
              tab={view.tab}
              patterns={error || patterns.error ? undefined : patterns.data}
              onTab={(tab) => onChange({ tab })}
              tools={
                <>
                  <FacetsButton place={place} />
                  {view.tab === "records" && !answer?.table && (
                    <ColumnsMenu
                      columns={view.columns}
                      wrap={view.wrap}
                      question={question}
                      onColumns={(columns) => onChange({ columns })}
                      onWrap={(wrap) => onChange({ wrap })}
                    />
                  )}
                  <DownloadMenu
                    query={view.query}
                    span={span}
                    order={view.order}
                    table={Boolean(answer?.table)}
                    fields={furtherFields(view)}
                  />
                </>
              }
            />
            {!error && view.tab !== "chart" && (
              <HistogramPanel
                answer={histogram.data}
                error={histogram.error}
                happened={happened}
                zone={view.zone}
                asTable={asTable}
                onAsTable={setAsTable}
                onZoom={zoomTo}
                onZoomBack={zoomBack}
                zoomed={zoomedFrom.current.length > 0}
              />
            )}
            {view.record && linked && view.tab === "records" && !answer?.table && (
              <LinkedRecord
                link={view.record}
                zone={view.zone}
                onFilter={addFilter}
                onClose={() => open(null)}
              />
            )}
            {view.tab === "chart" ? (
              <Suspense fallback={<LoadingRows />}>
                <ChartTab
                  answer={answer}
                  stale={search.isPlaceholderData}
                  error={error}
                  question={question}
                  chart={view.chart}
                  happened={happened}
                  zone={view.zone}
                  onChart={(chart) => onChange({ chart })}
                  onZoom={zoomTo}
                  onZoomBack={zoomBack}
                  onRetry={onRefresh}
                />
              </Suspense>
            ) : view.tab === "patterns" ? (
              <PatternsTab
                view={view}
                answer={patterns.data}
                error={patterns.error}
                span={span}
                onChange={onChange}
                onRun={run}
                onRetry={onRefresh}
              />
            ) : error ? (
              <SearchFailed error={error} onRetry={onRefresh} />
            ) : !answer || (records.length === 0 && !settled) ? (
              <LoadingRows />
            ) : answer.table ? (
              <ResultTable table={answer.table} zone={view.zone} />
            ) : records.length === 0 ? (
              <NothingMatched view={view} span={span} lastReceivedAt={lastReceivedAt} onChange={onChange} />
            ) : (
              <Rows
                records={records}
                matched={answer.matched}
                question={`${generation} ${view.order} ${view.query}`}
                query={view.query}
                order={view.order}
                zone={view.zone}
                span={span}
                openId={view.record?.id ?? null}
                stale={search.isPlaceholderData}
                columns={view.columns}
                wrap={view.wrap}
                onColumns={(columns) => onChange({ columns })}
                onWrap={(wrap) => onChange({ wrap })}
                hasMore={search.hasNextPage}
                moreFailed={search.isFetchNextPageError}
                onMore={() => !search.isFetchingNextPage && search.fetchNextPage()}
                onOpen={open}
                onOrder={(order) => onChange({ order })}
                onFilter={addFilter}
                onReading={onReading}
              />
            )}
          </div>
        </RecordActionsContext>
      </div>
    </main>
  );
}

/** The columns that a file has only when they are asked for. */
function furtherFields({ columns }: View): string[] {
  const always = ["severity", "service", "host", "body"];
  return columns.map(({ field }) => field).filter((field) => !always.includes(field));
}

/** The query itself is at fault when the server points into it. */
function queryErrorOf(error: Error | null): QueryError | null {
  return error instanceof ApiError && error.position ? error : null;
}
