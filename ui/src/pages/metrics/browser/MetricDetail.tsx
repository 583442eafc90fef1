import { useMemo, useState } from "react";
import { Icon } from "../../../components/Icon";
import { formatCount, plural } from "../../../lib/number";
import type { Span } from "../../../lib/time/range";
import { unitLabel } from "../../../lib/units";
import { sentence } from "../../../lib/words";
import { seriesLimit, useMetricSeries } from "../useMetrics";
import { labelsOf, type MetricInfo } from "./list";
import styles from "./MetricBrowser.module.css";

interface MetricDetailProps {
  info: MetricInfo;
  span: Span;
  onClose: () => void;
  onMetric: () => void;
  onValue: (label: string, value: string) => void;
}

const valueLimit = 100;

/** What a metric means, how many series it has, and the values of its labels; a click on a value filters the query. */
export function MetricDetail({ info, span, onClose, onMetric, onValue }: MetricDetailProps) {
  const series = useMetricSeries(info.name, span);
  const labels = useMemo(() => labelsOf(series.data ?? []), [series.data]);
  const [open, setOpen] = useState<string | null>(null);
  const unit = unitLabel(info.unit, 1);
  const facts = [info.type, unit].filter((fact) => fact !== "").join(", ");
  const count = series.data?.length ?? 0;
  return (
    <section className={styles.detail} aria-label={`Metric ${info.name}`}>
      <div className={styles.head}>
        <h2 className={`mono ${styles.wrap}`}>{info.name}</h2>
        <button
          type="button"
          className="button button-quiet button-icon"
          aria-label="Close the metric"
          onClick={onClose}
        >
          <Icon name="close" small />
        </button>
      </div>
      {info.help !== "" && <p className={styles.help}>{sentence(info.help)}</p>}
      <p className={styles.facts}>
        {facts !== "" && `${facts}, `}
        {series.data
          ? count >= seriesLimit
            ? `the first ${formatCount(seriesLimit)} series`
            : plural(count, "series", "series")
          : "counting series"}
      </p>
      {series.error && (
        <p className={styles.note}>The labels are missing: {sentence(series.error.message)}</p>
      )}
      <ul className={styles.labels}>
        {labels.map((label) => (
          <li key={label.name}>
            <button
              type="button"
              className={styles.label}
              aria-expanded={open === label.name}
              onClick={() => setOpen(open === label.name ? null : label.name)}
            >
              <Icon name={open === label.name ? "down" : "right"} small />
              <span className={`mono ${styles.cut}`}>{label.name}</span>
              <span className={styles.number}>{plural(label.values.length, "value")}</span>
            </button>
            {open === label.name && (
              <ul>
                {label.values.slice(0, valueLimit).map(({ value, series: having }) => (
                  <li key={value}>
                    <button
                      type="button"
                      className={styles.value}
                      title={`Only ${label.name} = ${value}; a second click takes it away`}
                      onClick={() => onValue(label.name, value)}
                    >
                      <span className={`mono ${styles.cut}`}>{value === "" ? "(empty)" : value}</span>
                      <span className={styles.number}>{formatCount(having)}</span>
                    </button>
                  </li>
                ))}
                {label.values.length > valueLimit && (
                  <li className={styles.note}>
                    {label.values.length - valueLimit} rarer values are not listed.
                  </li>
                )}
              </ul>
            )}
          </li>
        ))}
      </ul>
      <button type="button" className="button button-small" onClick={onMetric}>
        <Icon name="plus" small />
        Put into the query
      </button>
    </section>
  );
}
