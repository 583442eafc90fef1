import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { fetchHistogram } from "../../api/logs";
import { TimeSeriesChart } from "../../components/chart/TimeSeriesChart";
import { filterOnly } from "../../lib/query/edit";
import { bounds, queryText } from "../../lib/query/question";
import { sentence } from "../../lib/words";
import { type AlertChartProps, chartPx } from "./AlertChart";
import styles from "./AlertPage.module.css";
import { bandsOf } from "./history";
import { logsSearch } from "./links";
import { severityLevel } from "./model";

const buckets = 90;

/** The records that a rule over logs counts, over time, and the way to them. */
export function LogsAlertChart({
  alert,
  span,
  nowMs,
  zone,
  generation,
  onZoom,
  onZoomBack,
}: AlertChartProps) {
  const query = alert.rule?.query ?? "";
  const filter = filterOnly(query);
  const request = { query: queryText(filter), ...bounds(span), buckets };
  const { data, error, isPending } = useQuery({
    queryKey: ["logs", "histogram", request, generation],
    queryFn: ({ signal }) => fetchHistogram(request, signal),
    placeholderData: keepPreviousData,
  });
  const drawn = useMemo(() => data && countsOf(data), [data]);
  const bands = useMemo(() => bandsOf(alert.history, severityLevel(alert), nowMs), [alert, nowMs]);
  return (
    <section className={`panel ${styles.chart}`} aria-label="Search">
      <div className={styles.panelHead}>
        <h3>Search</h3>
        <span className="text3 small">records</span>
        <span className="grow" />
        <Link to="/logs" search={logsSearch(query, span, zone)} className="link small">
          Open in Logs
        </Link>
      </div>
      <p className={`mono ${styles.query}`}>{query}</p>
      {drawn ? (
        <TimeSeriesChart
          name="Records that the search finds"
          series={[{ label: "records", values: drawn.values, colour: "var(--log-info)" }]}
          times={drawn.times}
          zone={zone}
          span={span}
          height={chartPx}
          style="bars"
          legend="hidden"
          annotations={bands}
          onZoom={onZoom}
          onZoomBack={onZoomBack}
        />
      ) : error ? (
        <p className={styles.empty} role="alert">
          {sentence(error.message)}
        </p>
      ) : (
        isPending && <div className={`skeleton ${styles.skeleton}`} />
      )}
    </section>
  );
}

function countsOf({ start, bucket_ms, buckets: count, series }: Awaited<ReturnType<typeof fetchHistogram>>) {
  const startS = Date.parse(start) / 1000;
  const times = Array.from({ length: count }, (_, at) => startS + ((at + 0.5) * bucket_ms) / 1000);
  const values = times.map((_, at) => series.reduce((sum, { counts }) => sum + (counts[at] ?? 0), 0));
  return { times, values };
}
