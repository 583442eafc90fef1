import { useState } from "react";
import type { HistogramAnswer } from "../../api/logs";
import { Icon } from "../../components/Icon";
import { formatCount, plural } from "../../lib/number";
import { type Severity, severityRole } from "../../lib/severity";
import { formatDuration } from "../../lib/time/format";
import type { Span } from "../../lib/time/range";
import type { Zone } from "../../lib/time/zone";
import { Histogram } from "./Histogram";
import styles from "./HistogramPanel.module.css";
import { HistogramTable } from "./HistogramTable";
import { countsBySeverity, describeHistogram, withSeverities } from "./histogram";
import type { Marker } from "./markers";
import type { Markers } from "./useMarkers";

interface HistogramPanelProps {
  answer: HistogramAnswer | undefined;
  error: Error | null;
  happened: Markers;
  zone: Zone;
  asTable: boolean;
  onAsTable: (asTable: boolean) => void;
  onZoom: (span: Span) => void;
  onZoomBack: () => void;
  /** Is there a range that a zoom came from? */
  zoomed: boolean;
}

/** Records over time by severity: bars, or the same numbers as a table; the legend isolates a severity. */
export function HistogramPanel(props: HistogramPanelProps) {
  const { answer, error, happened, zone, asTable, onAsTable, onZoom, onZoomBack, zoomed } = props;
  const [only, setOnly] = useState<Severity | null>(null);
  if (!answer) {
    return (
      <div className={styles.empty}>
        {error ? (
          `The histogram is missing: ${error.message}.`
        ) : (
          <div className={`skeleton ${styles.skeleton}`} />
        )}
      </div>
    );
  }
  const counts = countsBySeverity(answer);
  const isolated = only !== null && counts.some(([severity]) => severity === only) ? only : null;
  const shown = isolated ? withSeverities(answer, [isolated]) : answer;
  const summary = describeHistogram(answer, zone);
  return (
    <section className={styles.panel} aria-label="Records over time">
      {asTable ? (
        <HistogramTable answer={answer} markers={happened.markers} zone={zone} />
      ) : (
        <Histogram
          answer={shown}
          markers={happened.markers}
          zone={zone}
          label={summary}
          onZoom={onZoom}
          onZoomBack={onZoomBack}
        />
      )}
      <div className={styles.legend}>
        {counts.map(([severity, count]) => (
          <button
            key={severity}
            type="button"
            className={styles.key}
            aria-pressed={isolated === severity}
            data-off={isolated !== null && isolated !== severity}
            onClick={() => setOnly(isolated === severity ? null : severity)}
          >
            <span className="swatch" style={{ background: `var(--${severityRole[severity]})` }} />
            {severity} {formatCount(count)}
          </button>
        ))}
        <span className={styles.note}>
          {formatDuration(answer.bucket_ms)} per {asTable ? "row" : "bar, drag to zoom"}
        </span>
        <MarkerKey markers={happened.markers} kind="change" words={["change", "changes"]} />
        <MarkerKey markers={happened.markers} kind="alert" words={["alert", "alerts"]} />
        {happened.missing && <span className={styles.note}>changes or alerts did not come</span>}
        {zoomed && (
          <button type="button" className={styles.key} onClick={onZoomBack}>
            <Icon name="zoomOut" small />
            Zoom back
          </button>
        )}
        <span className="grow" />
        <button
          type="button"
          className={`${styles.key} ${styles.switch}`}
          onClick={() => onAsTable(!asTable)}
        >
          <Icon name={asTable ? "chart" : "table"} small />
          <span className={styles.words}>{asTable ? "As bars" : "As a table"}</span>
        </button>
      </div>
    </section>
  );
}

interface MarkerKeyProps {
  markers: Marker[];
  kind: Marker["kind"];
  words: [one: string, many: string];
}

function MarkerKey({ markers, kind, words }: MarkerKeyProps) {
  const count = markers.filter((marker) => marker.kind === kind).length;
  if (count === 0) return null;
  return (
    <span className={styles.marker} data-kind={kind}>
      {plural(count, ...words)}
    </span>
  );
}
