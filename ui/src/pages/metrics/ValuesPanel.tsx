import type { UseQueryResult } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef } from "react";
import type { InstantAnswer, MetricMetadata } from "../../api/prometheus";
import { instantLimit } from "../../components/chart/useAnswers";
import { PartialTag } from "../../components/PartialTag";
import { plural } from "../../lib/number";
import { selectorText } from "../../lib/promql/legend";
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
  text: string;
  exact: string;
  value: number;
}

/** The values at the end of the time range, the highest first. */
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
            <div role="row" className={`${styles.valueRow} ${styles.valueHead}`}>
              <span role="columnheader">Query</span>
              <span role="columnheader">Series</span>
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
                    style={{ transform: `translateY(${item.start}px)` }}
                  >
                    <span role="cell" className="text3">
                      {row.letter}
                    </span>
                    <span role="cell" className={`mono text1 ${styles.cut}`} title={row.name}>
                      {row.name}
                    </span>
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
      rows.push({ letter, name: "text", text: answer.text, exact: answer.text, value: 0 });
    for (const { labels, values, histograms } of answer.series) {
      const value = values.at(-1) ?? Number.NaN;
      const text = histograms ? "native histogram" : formatValue(value, unit);
      rows.push({ letter, name: selectorText(labels) || query.text, text, exact: String(value), value });
    }
  });
  const order = (value: number) => (Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value);
  return rows.sort((a, b) => a.letter.localeCompare(b.letter) || order(b.value) - order(a.value));
}
