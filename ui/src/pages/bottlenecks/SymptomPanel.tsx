import { useElementSize } from "@mantine/hooks";
import { useMemo } from "react";
import type { Stored, SymptomSeries } from "../../api/bottlenecks";
import { TimeSeriesChart } from "../../components/chart/TimeSeriesChart";
import { usePhone } from "../../components/usePhone";
import { extentOf } from "../../lib/chart/series";
import { formatClock } from "../../lib/time/format";
import type { Zone } from "../../lib/time/zone";
import { formatValue, unitLabel } from "../../lib/units";
import { headline, sentence } from "../../lib/words";
import { beforeNowText, sliText, symptomText } from "./model";
import panel from "./Panel.module.css";
import styles from "./SymptomPanel.module.css";
import { changeAnnotations, onsetAnnotation, usualBand } from "./symptom";
import { useSymptom } from "./useVerdicts";

interface SymptomPanelProps {
  stored: Stored;
  zone: Zone;
}

/** What users feel, over time: what is usual, when it began, what was changed, where the limit is. */
export function SymptomPanel({ stored, zone }: SymptomPanelProps) {
  const { symptom } = stored.verdict;
  const { data, error } = useSymptom(stored);
  const isLatency = symptom.sli === "latency";
  const highest = data ? (extentOf([data.value, data.p95 ?? []])?.max ?? 0) : symptom.now;
  const unit = isLatency ? unitLabel("s", highest / 1000) : "% of requests";
  return (
    <section className={`panel ${panel.panel}`} aria-label="Symptom">
      <div className={panel.head}>
        <h3>Symptom</h3>
        <span className="text3 small">
          {symptomText(symptom)}, {sliText(symptom)}, {unit}
        </span>
        <span className="grow" />
        <span className={styles.figures}>{beforeNowText(symptom.baseline, symptom.now, symptom.sli)}</span>
      </div>
      {data && data.times.length === 0 ? (
        <p className={panel.none}>No value of the time is kept any more.</p>
      ) : data ? (
        <Chart data={data} stored={stored} zone={zone} />
      ) : error ? (
        <p className={panel.none} role="alert">
          {sentence(error.message)}
        </p>
      ) : (
        <div className={`skeleton ${styles.skeleton}`} />
      )}
    </section>
  );
}

/** Below the lines: the legend, and what the grey band is. */
const [legendPx, phoneLegendPx] = [26, 40];
const leastPx = 150;

function Chart({ data, stored, zone }: { data: SymptomSeries; stored: Stored; zone: Zone }) {
  const { ref, height } = useElementSize<HTMLDivElement>();
  const { symptom, window } = stored.verdict;
  const isLatency = symptom.sli === "latency";
  const factor = isLatency ? 0.001 : 1;
  const unit = isLatency ? "s" : "percentunit";
  const chart = useMemo(() => {
    const scaled = (values: (number | null)[]) =>
      values.map((value) => (value === null ? null : value * factor));
    const series = [
      {
        label: isLatency ? (symptom.is_queue ? "mean wait" : "mean") : "failed requests",
        values: scaled(data.value),
        colour: "var(--text)",
      },
      ...(data.p95 ? [{ label: "p95", values: scaled(data.p95), colour: "var(--text-3)" }] : []),
    ];
    return {
      series,
      annotations: [...changeAnnotations(data.changes, window), onsetAnnotation(window)],
      usual: usualBand(data.baseline, factor),
      thresholds:
        data.threshold === null
          ? []
          : [
              {
                value: data.threshold * factor,
                kind: "crit" as const,
                label: `limit ${formatValue(data.threshold * factor, unit)}`,
                always: true,
              },
            ],
    };
  }, [data, window, factor, isLatency, unit, symptom.is_queue]);
  const hasLegend = chart.series.length > 1;
  const footPx = usePhone() && hasLegend ? phoneLegendPx : legendPx;
  const clock = (s: number) => formatClock(s * 1000, zone).slice(0, 5);
  return (
    <div ref={ref} className={styles.chart}>
      {height > 0 && (
        <TimeSeriesChart
          name={`${headline(sliText(symptom))} of ${symptomText(symptom)}`}
          times={data.times}
          unit={unit}
          zone={zone}
          height={Math.max(leastPx, height - footPx)}
          legend={hasLegend ? "auto" : "hidden"}
          fill={0}
          {...chart}
        />
      )}
      {chart.usual && (
        <p className={styles.foot}>
          <span className={styles.usual} />
          usual, {clock(window.baseline.from_s)}–{clock(window.baseline.to_s)}
        </p>
      )}
    </div>
  );
}
