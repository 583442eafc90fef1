import { ApiError } from "../../api/http";
import { useExemplars } from "../../components/chart/useExemplars";
import { interpolate, type Scope } from "../../lib/dashboard/interpolate";
import type { Panel } from "../../lib/dashboard/model";
import type { PanelSeries } from "../../lib/dashboard/series";
import { plural } from "../../lib/number";
import type { Span } from "../../lib/time/range";
import type { Zone } from "../../lib/time/zone";
import { sentence } from "../../lib/words";
import styles from "./Panel.module.css";
import { DataTable } from "./panels/DataTable";
import { GaugePanel } from "./panels/GaugePanel";
import { LogsPanel } from "./panels/LogsPanel";
import { StatPanel } from "./panels/StatPanel";
import { TextPanel } from "./panels/TextPanel";
import { TimePanel } from "./panels/TimePanel";
import type { PanelAnswers } from "./usePanelAnswers";

interface PanelBodyProps {
  panel: Panel;
  name: string;
  scope: Scope;
  asked: PanelAnswers;
  series: PanelSeries[];
  logsQuery: string;
  span: Span;
  zone: Zone;
  generation: number;
  enabled: boolean;
  widthPx: number;
  heightPx: number;
  lacking: string[];
  onRetry: () => void;
  onZoom: (span: Span) => void;
  onZoomBack: () => void;
}

/** What a panel shows: its picture, or why there is none and what to do. */
export function PanelBody(props: PanelBodyProps) {
  const { panel, name, scope, asked, series, logsQuery, span, zone, generation, enabled, widthPx, heightPx } =
    props;
  const { lacking, onRetry, onZoom, onZoomBack } = props;
  const exemplars = useExemplars(
    asked.answers.map(({ target, query }) => ({
      text: panel.kind === "timeseries" ? query : null,
      span,
      generation,
      enabled: enabled && series.length > 0,
      wanted: target.exemplars ?? undefined,
    })),
  );
  if (panel.kind === "other")
    return (
      <p className={styles.empty}>Not shown yet: {lacking.join("; ")}. It stays in the dashboard's JSON.</p>
    );
  if (panel.kind === "text")
    return (
      <TextPanel name={name} markdown={interpolate(panel.content?.markdown ?? "", scope, null, "text")} />
    );
  if (panel.kind === "logs" && logsQuery !== "")
    return (
      <LogsPanel
        name={name}
        query={logsQuery}
        span={span}
        zone={zone}
        generation={generation}
        enabled={enabled}
      />
    );
  if (asked.queries.length === 0)
    return (
      <p className={styles.empty}>
        {lacking.length > 0
          ? `Not shown: ${lacking.join("; ")}.`
          : "The panel has no query. Edit it to add one."}
      </p>
    );
  const rows = asked.answers.reduce((sum, answer) => sum + answer.series.length, 0);
  const error = asked.error && (
    <p className={styles.error} role="alert">
      {sentence(asked.error.message)}{" "}
      {asked.error instanceof ApiError && asked.error.hint ? `${sentence(asked.error.hint)} ` : ""}
      <button type="button" className="link" onClick={onRetry}>
        Try again
      </button>
    </p>
  );
  if (rows === 0) {
    if (error) return error;
    if (asked.pending) return <Skeleton kind={panel.kind} />;
    return <p className={styles.empty}>{panel.field.noValue ?? "Nothing answers in this time."}</p>;
  }
  if (panel.kind !== "table" && series.length === 0)
    return (
      <p className={styles.empty}>
        {asked.histograms > 0
          ? `${plural(asked.histograms, "series carries", "series carry")} native histograms, which are not drawn: ask for histogram_quantile of them.`
          : "Every series is hidden by the panel."}
      </p>
    );
  return (
    <>
      {error}
      {panel.kind === "table" ? (
        <DataTable panel={panel} name={name} answers={asked.answers} />
      ) : panel.kind === "stat" ? (
        <StatPanel panel={panel} name={name} series={series} />
      ) : panel.kind === "timeseries" ? (
        <TimePanel
          panel={panel}
          name={name}
          series={series}
          grid={asked.grid}
          span={span}
          zone={zone}
          widthPx={widthPx}
          heightPx={heightPx}
          exemplars={exemplars.flat()}
          onZoom={onZoom}
          onZoomBack={onZoomBack}
        />
      ) : (
        <GaugePanel panel={panel} name={name} series={series} />
      )}
    </>
  );
}

/** In the shape of what comes; seen after 200 ms only. */
function Skeleton({ kind }: { kind: Panel["kind"] }) {
  return (
    <>
      <span className="visually-hidden" role="status">
        Asking
      </span>
      <div className={`skeleton ${styles.skeleton}`} data-kind={kind} />
    </>
  );
}
