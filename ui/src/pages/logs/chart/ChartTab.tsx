import { Popover } from "@mantine/core";
import { useMemo, useState } from "react";
import type { ResultTable, SearchAnswer } from "../../../api/logs";
import { TimeSeriesChart } from "../../../components/chart/TimeSeriesChart";
import { FieldPicker } from "../../../components/facets/FieldPicker";
import { Icon } from "../../../components/Icon";
import { Message } from "../../../components/Message";
import type { Annotation } from "../../../lib/chart/series";
import { plural } from "../../../lib/number";
import type { Question } from "../../../lib/query/question";
import type { Span } from "../../../lib/time/range";
import type { Zone } from "../../../lib/time/zone";
import { markerText } from "../markers";
import tools from "../patterns/Patterns.module.css";
import { LoadingRows, SearchFailed } from "../states";
import type { Markers } from "../useMarkers";
import styles from "./ChartTab.module.css";
import { hasTime } from "./question";
import { seriesOf } from "./series";
import type { ChartView } from "./url";
import { useCounts } from "./useChart";

interface ChartTabProps {
  /** Of the query itself: undefined until it is known whether it has a table to draw. */
  answer: SearchAnswer | undefined;
  /** Does it still answer the question before? */
  stale: boolean;
  error: Error | null;
  question: Question;
  chart: ChartView;
  happened: Markers;
  zone: Zone;
  onChart: (chart: ChartView) => void;
  onZoom: (span: Span) => void;
  onZoomBack: () => void;
  onRetry: () => void;
}

const chartPx = 320;
const ownName = "The query over time";

/** The query's own table over time, or how many records there are of each value of a field. */
export function ChartTab(props: ChartTabProps) {
  const { answer, stale, error, question, chart, onChart, onRetry } = props;
  const own = answer && hasTime(answer.table) ? answer.table : null;
  const counts = useCounts(question, chart.by, answer !== undefined && !stale && own === null && !error);
  if (error) return <SearchFailed error={error} onRetry={onRetry} />;
  if (!answer) return <LoadingRows />;
  const asked = own
    ? { table: own, query: question.query, stepMs: null, name: ownName }
    : askedOf(counts.data);
  const failed = own ? null : counts.error;
  return (
    <div className={styles.tab}>
      <div className={tools.tools}>
        <Looks chart={chart} onChart={onChart} />
        {own ? (
          <span className={tools.cover}>as the query’s stages say</span>
        ) : (
          <GroupBy chart={chart} question={question} onChart={onChart} />
        )}
      </div>
      {failed ? (
        <SearchFailed error={failed} onRetry={onRetry} />
      ) : asked ? (
        <Drawn {...props} asked={asked} />
      ) : (
        <LoadingRows />
      )}
    </div>
  );
}

interface Asked {
  table: ResultTable;
  query: string;
  stepMs: number | null;
  name: string;
}

function askedOf(counted: ReturnType<typeof useCounts>["data"]): Asked | null {
  if (!counted?.table) return null;
  const { table, query, stepMs, by } = counted;
  return { table, query, stepMs, name: by === null ? "Records over time" : `Records over time by ${by}` };
}

function Drawn({ asked, question, chart, happened, zone, ...on }: ChartTabProps & { asked: Asked }) {
  const { table, query, stepMs, name } = asked;
  const { startMs, endMs } = question.span;
  const data = useMemo(
    () => seriesOf(table, query, { startMs, endMs }, stepMs),
    [table, query, stepMs, startMs, endMs],
  );
  const annotations = useMemo(
    () =>
      happened.markers.map((marker): Annotation => {
        return { time: marker.ms / 1000, text: markerText(marker, zone), important: marker.important };
      }),
    [happened.markers, zone],
  );
  if (!data)
    return (
      <Message title="Nothing to draw">
        {table.rows.length === 0
          ? "No record matches in this time range. Choose a longer one, or take conditions away."
          : "The table has too many steps for a chart: choose a wider bin, or a shorter time range."}
      </Message>
    );
  const bars = chart.look === "bars" && data.counts;
  return (
    <section className={styles.chart} aria-label="Chart">
      <h3 className={styles.title}>
        {name}
        <span className="text3 small">{plural(data.series.length, "series", "series")}</span>
      </h3>
      <TimeSeriesChart
        name={name}
        series={data.series}
        times={data.times}
        zone={zone}
        span={question.span}
        height={chartPx}
        style={bars ? "bars" : "lines"}
        stack={bars}
        fill={bars ? 0.8 : null}
        annotations={annotations}
        counts={data.counts}
        onZoom={on.onZoom}
        onZoomBack={on.onZoomBack}
      />
    </section>
  );
}

function Looks({ chart, onChart }: Pick<ChartTabProps, "chart" | "onChart">) {
  return (
    <fieldset className={tools.sort}>
      <legend className="visually-hidden">Drawn as</legend>
      {(["bars", "lines"] as const).map((look) => (
        <button
          key={look}
          type="button"
          className={tools.segment}
          aria-pressed={chart.look === look}
          onClick={() => onChart({ ...chart, look })}
        >
          {look === "bars" ? "Bars" : "Lines"}
        </button>
      ))}
    </fieldset>
  );
}

function GroupBy({ chart, question, onChart }: Pick<ChartTabProps, "chart" | "question" | "onChart">) {
  const [open, setOpen] = useState(false);
  const choose = (field: string) => {
    setOpen(false);
    // Once more takes it away: all records in one.
    onChart({ ...chart, by: field === chart.by ? null : field });
  };
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-start">
      <Popover.Target>
        <button type="button" className="button button-small" onClick={() => setOpen(!open)}>
          {chart.by === null ? "all records" : `by ${chart.by}`}
          <Icon name="down" small />
        </button>
      </Popover.Target>
      <Popover.Dropdown p={4} aria-label="Group by">
        <div className={styles.picker}>
          <FieldPicker
            question={question}
            chosen={chart.by === null ? [] : [chart.by]}
            without={["body", "timestamp", "observed_timestamp"]}
            label="Group by a field"
            onToggle={choose}
          />
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}
