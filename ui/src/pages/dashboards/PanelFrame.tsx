import { useElementSize } from "@mantine/hooks";
import { Link } from "@tanstack/react-router";
import { useMemo, useRef } from "react";
import { useVisible } from "../../components/chart/useVisible";
import { Icon } from "../../components/Icon";
import { PartialTag } from "../../components/PartialTag";
import { extentOf } from "../../lib/chart/series";
import { interpolate } from "../../lib/dashboard/interpolate";
import type { PlacedPanel } from "../../lib/dashboard/layout";
import { panelSeries } from "../../lib/dashboard/series";
import { absoluteRange, type Span } from "../../lib/time/range";
import type { Zone } from "../../lib/time/zone";
import { unitLabel } from "../../lib/units";
import { encodeLogsView, plainView as plainLogs } from "../logs/url";
import { encodeMetricsView, plainView as plainMetrics } from "../metrics/url";
import styles from "./Panel.module.css";
import { PanelBody } from "./PanelBody";
import { usePanelAnswers } from "./usePanelAnswers";

export interface PanelActions {
  /** The panel that `v` means: under the pointer or with the focus. */
  onPoint: (key: string | null) => void;
  onFull: (key: string) => void;
  onInspect: (placed: PlacedPanel, queries: string[]) => void;
  onEdit: (placed: PlacedPanel) => void;
  onRetry: () => void;
  onZoom: (span: Span) => void;
  onZoomBack: () => void;
}

interface PanelFrameProps extends PanelActions {
  placed: PlacedPanel;
  span: Span;
  zone: Zone;
  generation: number;
  /** The variables are known. */
  ready: boolean;
  full: boolean;
  editing: boolean;
  lacking: string[];
}

/** One panel on the grid: its title, its tools on hover and focus, and what its queries answer. */
export function PanelFrame(props: PanelFrameProps) {
  const { placed, span, zone, generation, ready, full, editing, lacking } = props;
  const { onPoint, onFull, onInspect, onEdit, onRetry, onZoom, onZoomBack } = props;
  const { panel, title, scope } = placed;
  const name = title || panel.type;
  const frame = useRef<HTMLElement>(null);
  const visible = useVisible(frame);
  const { ref: body, width, height } = useElementSize<HTMLDivElement>();
  const enabled = ready && visible && width > 0;
  const asked = usePanelAnswers(panel, scope, span, width, generation, enabled);
  const { answers, grid } = asked;
  const answered = answers.map(({ series }) => series);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the answers one by one
  const series = useMemo(
    () => (panel.kind === "table" ? [] : panelSeries(panel, answers, grid, scope)),
    [panel, scope, grid.startS, grid.endS, grid.stepS, ...answered],
  );
  const logs = panel.targets.filter(({ datasource, hidden }) => datasource.kind === "logs" && !hidden);
  const logsQuery = logs[0]
    ? interpolate(logs[0].expr, scope, { ...span, stepS: grid.stepS, scrapeS: 15 }, "logs")
    : "";
  const extent = extentOf(series.map(({ values }) => values));
  const size = extent ? Math.max(Math.abs(extent.min), Math.abs(extent.max)) : 0;
  const unit = panel.kind === "timeseries" ? unitLabel(panel.field.unit, size) : "";
  const { x, y, w, h } = placed.grid;
  const place = { gridColumn: `${x + 1} / span ${w}`, gridRow: `${y + 1} / span ${h}`, "--rows": h };
  const queries = panel.kind === "logs" ? [logsQuery] : asked.queries.map(({ text }) => text);
  return (
    <section
      ref={frame}
      className={`panel ${styles.panel}`}
      data-full={full}
      style={full ? undefined : place}
      aria-label={name}
      onPointerEnter={() => onPoint(placed.key)}
      onPointerLeave={() => onPoint(null)}
      onFocus={() => onPoint(placed.key)}
    >
      <div className={styles.head}>
        {title !== "" && <h2 title={panel.description || undefined}>{title}</h2>}
        <span className={styles.sub}>
          {[unit, panel.kind === "logs" ? logsQuery : ""].filter((part) => part !== "").join(", ")}
        </span>
        <span className="grow" />
        <PartialTag warnings={asked.warnings} />
        {lacking.length > 0 && panel.kind !== "other" && (
          <span className={styles.lacks} title={`Not shown: ${lacking.join("; ")}`}>
            {lacking.length} not shown
          </span>
        )}
        <span className={styles.tools}>
          {asked.queries.length > 0 && (
            <Link
              to="/explore"
              search={encodeMetricsView({
                ...plainMetrics,
                queries: asked.queries
                  .slice(0, 10)
                  .map(({ text, legend }) => ({ text, legend, hidden: false })),
                range: absoluteRange(span),
                zone,
              })}
              className="button button-quiet button-icon"
              aria-label={`Explore ${name}`}
              title="Explore"
            >
              <Icon name="metrics" small />
            </Link>
          )}
          {logsQuery !== "" && (
            <Link
              to="/logs"
              search={encodeLogsView({ ...plainLogs, query: logsQuery, range: absoluteRange(span), zone })}
              className="button button-quiet button-icon"
              aria-label={`Open ${name} in Logs`}
              title="Open in Logs"
            >
              <Icon name="logs" small />
            </Link>
          )}
          <Tool
            icon="table"
            label={`Query and JSON of ${name}`}
            title="Query and JSON"
            onClick={() => onInspect(placed, queries)}
          />
          {editing && <Tool icon="edit" label={`Edit ${name}`} title="Edit" onClick={() => onEdit(placed)} />}
          <Tool
            icon={full ? "close" : "full"}
            label={full ? `Close the full view of ${name}` : `Full screen: ${name}`}
            title={full ? "Back to the dashboard, v" : "Full screen, v"}
            onClick={() => onFull(placed.key)}
          />
        </span>
      </div>
      <div ref={body} className={styles.body}>
        <PanelBody
          panel={panel}
          name={name}
          scope={scope}
          asked={asked}
          series={series}
          logsQuery={logsQuery}
          span={span}
          zone={zone}
          generation={generation}
          enabled={enabled}
          widthPx={width}
          heightPx={height}
          lacking={lacking}
          onRetry={onRetry}
          onZoom={onZoom}
          onZoomBack={onZoomBack}
        />
      </div>
    </section>
  );
}

interface ToolProps {
  icon: "table" | "edit" | "close" | "full";
  label: string;
  title: string;
  onClick: () => void;
}

function Tool({ icon, label, title, onClick }: ToolProps) {
  return (
    <button
      type="button"
      className="button button-quiet button-icon"
      aria-label={label}
      title={title}
      onClick={onClick}
    >
      <Icon name={icon} small />
    </button>
  );
}
