import type { UseQueryResult } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef } from "react";
import type { InstantAnswer, Labels, MetricMetadata } from "../../api/prometheus";
import { instantLimit } from "../../components/chart/useAnswers";
import { PartialTag } from "../../components/PartialTag";
import { plural } from "../../lib/number";
import { differingLabels, selectorText } from "../../lib/promql/legend";
import { guessUnit } from "../../lib/promql/units";
import { formatMoment } from "../../lib/time/format";
import type { Span } from "../../lib/time/range";
import { zoneLabel } from "../../lib/time/zone";
import { formatValue } from "../../lib/units";
import { sizes } from "../../theme/tokens";
import styles from "./MetricsPage.module.css";
import { AnswerState } from "./states";
import type { MetricsView } from "./url";

interface ValuesPanelProps {
  view: MetricsView;
  span: Span;
  answers: UseQueryResult<InstantAnswer>[];
  metadata: Record<string, MetricMetadata[]>;
  onChange: (change: Partial<MetricsView>) => void;
  onRetry: () => void;
}

interface ValueRow {
  letter: string;
  name: string;
  labels: Labels;
  text: string;
  exact: string;
  value: number;
}

const columnLimit = 8;
const columnPx = 112;

/** The values at the end of the time range, the highest first; a column for each label in which they differ. */
export function ValuesPanel(props: ValuesPanelProps) {
  const { view, span, answers, metadata, onChange, onRetry } = props;
  const datas = answers.map(({ data }) => data);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the answers one by one, and the queries by their text
  const rows = useMemo(
    () => rowsOf(view, datas, metadata),
    [...datas, view.queries.length, JSON.stringify(view.queries), metadata],
  );
  const warnings = [...new Set(datas.flatMap((data) => data?.warnings ?? []))];
  const moment = `${formatMoment(span.endMs, view.zone)} ${zoneLabel(view.zone, span.endMs)}`;
  const cut = datas.some((data) => (data?.series.length ?? 0) >= instantLimit);
  // What all have in common would be the same in every row; a row's title has it.
  const columns = useMemo(
    () => differingLabels(rows.map(({ labels }) => labels)).slice(0, columnLimit),
    [rows],
  );
  const grid = {
    gridTemplateColumns: `56px repeat(${Math.max(1, columns.length)}, minmax(${columnPx}px, 1fr)) 120px`,
    minWidth: 200 + columnPx * columns.length,
  };
  const scroll = useRef<HTMLElement>(null);
  const list = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => sizes.tableRowPx,
    overscan: 12,
  });
  return (
    <AnswerState
      view={view}
      answers={answers}
      count={rows.length}
      within={moment}
      onChange={onChange}
      onRetry={onRetry}
    >
      <section className={`panel ${styles.panel} ${styles.values}`} aria-label="Values">
        <div className={styles.head}>
          <h2>{plural(rows.length, "value")}</h2>
          <span className="text3 small">at {moment}</span>
          {cut && <span className="text3 small">the first {instantLimit} of each query</span>}
          <span className="grow" />
          <PartialTag warnings={warnings} />
        </div>
        <section ref={scroll} className={styles.scroll} tabIndex={0} aria-label="Values, list">
          <div role="table" aria-label="Values" aria-rowcount={rows.length + 1}>
            <div role="row" className={`${styles.valueRow} ${styles.valueHead}`} style={grid}>
              <span role="columnheader">Query</span>
              {columns.length === 0 && <span role="columnheader">Series</span>}
              {columns.map((label) => (
                <span key={label} role="columnheader" className={styles.cut} title={label}>
                  {label === "__name__" ? "metric" : label}
                </span>
              ))}
              <span role="columnheader">Value</span>
            </div>
            <div role="rowgroup" style={{ position: "relative", height: list.getTotalSize() }}>
              {list.getVirtualItems().map((item) => {
                const row = rows[item.index];
                if (!row) return null;
                return (
                  <div
                    key={item.key}
                    role="row"
                    aria-rowindex={item.index + 2}
                    className={`${styles.valueRow} ${styles.placed}`}
                    style={{ ...grid, transform: `translateY(${item.start}px)` }}
                    title={row.name}
                  >
                    <span role="cell" className="text3">
                      {row.letter}
                    </span>
                    {columns.length === 0 && (
                      <span role="cell" className={`mono text1 ${styles.cut}`}>
                        {row.name}
                      </span>
                    )}
                    {columns.map((label) => (
                      <span key={label} role="cell" className={`mono text1 ${styles.cut}`}>
                        {row.labels[label] ?? ""}
                      </span>
                    ))}
                    <span role="cell" className="text1 tabular" title={row.exact}>
                      {row.text}
                    </span>
                  </div>
                );
              })}
            </div>
          </div>
        </section>
      </section>
    </AnswerState>
  );
}

function rowsOf(
  view: MetricsView,
  answers: (InstantAnswer | undefined)[],
  metadata: Record<string, MetricMetadata[]>,
): ValueRow[] {
  const rows: ValueRow[] = [];
  view.queries.forEach((query, at) => {
    const answer = answers[at];
    if (query.hidden || query.text.trim() === "" || !answer) return;
    const letter = String.fromCharCode(65 + at);
    const unit = guessUnit(query.text, metadata);
    if (answer.text !== null)
      rows.push({ letter, name: "text", labels: {}, text: answer.text, exact: answer.text, value: 0 });
    for (const { labels, values, histograms } of answer.series) {
      const value = values.at(-1) ?? Number.NaN;
      const text = histograms ? "native histogram" : formatValue(value, unit);
      rows.push({
        letter,
        name: selectorText(labels) || query.text,
        labels,
        text,
        exact: String(value),
        value,
      });
    }
  });
  const order = (value: number) => (Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value);
  return rows.sort((a, b) => a.letter.localeCompare(b.letter) || order(b.value) - order(a.value));
}
