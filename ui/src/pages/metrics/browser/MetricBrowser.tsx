import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef, useState } from "react";
import type { MetricMetadata } from "../../../api/prometheus";
import { FindField } from "../../../components/FindField";
import { Icon } from "../../../components/Icon";
import { plural } from "../../../lib/number";
import type { Span } from "../../../lib/time/range";
import { sentence } from "../../../lib/words";
import { useMetadata, useMetricNames } from "../useMetrics";
import { listMetrics } from "./list";
import styles from "./MetricBrowser.module.css";
import { MetricDetail } from "./MetricDetail";

interface MetricBrowserProps {
  span: Span;
  /** The metric whose labels are shown. */
  open: string | null;
  onOpen: (metric: string | null) => void;
  /** Puts it into the query. */
  onMetric: (metric: string, type: string) => void;
  onValue: (metric: string, label: string, value: string) => void;
}

const rowPx = 28;

/** Every metric of the day by name, type and unit; one opened shows what it means, its labels and their values. */
export function MetricBrowser({ span, open, onOpen, onMetric, onValue }: MetricBrowserProps) {
  const [wanted, setWanted] = useState("");
  const names = useMetricNames(span);
  const metadata = useMetadata();
  const scroll = useRef<HTMLDivElement>(null);
  const shown = useMemo(
    () => listMetrics(names.data ?? [], metadata.data ?? {}, wanted),
    [names.data, metadata.data, wanted],
  );
  const list = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => rowPx,
    overscan: 12,
  });
  const opened = open === null ? null : infoOf(open, metadata.data ?? {});
  return (
    <aside className={styles.browser} aria-label="Metrics">
      <div className={styles.search}>
        <FindField
          label="Find a metric"
          placeholder="Find by name or meaning"
          size="wide"
          slash={false}
          text={wanted}
          onText={setWanted}
        />
        <p className={styles.count} aria-live="polite">
          {names.data
            ? `${plural(shown.length, "metric")}${wanted === "" ? "" : ` of ${names.data.length}`}`
            : ""}
        </p>
      </div>
      {names.isPending && <div className={`skeleton ${styles.skeleton}`} />}
      {names.error && !names.data && (
        <p className={styles.note} role="alert">
          The list is missing: {sentence(names.error.message)}{" "}
          <button type="button" className="link" onClick={() => names.refetch()}>
            Try again
          </button>
        </p>
      )}
      {names.data && shown.length === 0 && (
        <p className={styles.note}>
          {wanted === "" ? "No metric was stored on this day." : "No metric is called so, and none says so."}
        </p>
      )}
      <div ref={scroll} className={styles.scroll}>
        <ul style={{ position: "relative", height: list.getTotalSize() }}>
          {list.getVirtualItems().map((item) => {
            const metric = shown[item.index];
            if (!metric) return null;
            const isOpen = metric.name === open;
            return (
              <li
                key={metric.name}
                className={styles.row}
                style={{ transform: `translateY(${item.start}px)` }}
              >
                <button
                  type="button"
                  className={styles.fold}
                  aria-expanded={isOpen}
                  aria-label={`Labels of ${metric.name}`}
                  onClick={() => onOpen(isOpen ? null : metric.name)}
                >
                  <Icon name={isOpen ? "down" : "right"} small />
                </button>
                <button
                  type="button"
                  className={styles.name}
                  title={`${metric.name}${metric.help ? `\n${metric.help}` : ""}`}
                  onClick={() => onMetric(metric.name, metric.type)}
                >
                  <span className={`mono ${styles.cut}`}>{metric.name}</span>
                  <span className={styles.type}>{metric.type}</span>
                </button>
              </li>
            );
          })}
        </ul>
      </div>
      {opened && (
        <MetricDetail
          key={opened.name}
          info={opened}
          span={span}
          onClose={() => onOpen(null)}
          onMetric={() => onMetric(opened.name, opened.type)}
          onValue={(label, value) => onValue(opened.name, label, value)}
        />
      )}
    </aside>
  );
}

function infoOf(name: string, metadata: Record<string, MetricMetadata[]>) {
  return listMetrics([name], metadata, "")[0] ?? null;
}
