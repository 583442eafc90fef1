import { type CSSProperties, memo } from "react";
import type { Pattern } from "../../../api/patterns";
import { Icon } from "../../../components/Icon";
import { formatCount, formatShare } from "../../../lib/number";
import { severityRole } from "../../../lib/severity";
import { formatClock, formatMoment } from "../../../lib/time/format";
import { startOfDay, type Zone } from "../../../lib/time/zone";
import { severitiesOf } from "./arrange";
import styles from "./Patterns.module.css";
import { Spark } from "./Spark";
import { Template } from "./Template";

export interface PatternRowProps {
  pattern: Pattern;
  rowIndex: number;
  zone: Zone;
  /** When the first bucket begins, and how long each lasts. */
  startMs: number;
  bucketMs: number;
  open: boolean;
  active: boolean;
  style: CSSProperties;
  onToggle: (pattern: Pattern) => void;
  onFilter: (pattern: Pattern, exclude: boolean) => void;
}

export const PatternRow = memo(
  PatternRowView,
  (before, after) =>
    before.style.transform === after.style.transform &&
    (Object.keys(after) as (keyof PatternRowProps)[]).every(
      (name) => name === "style" || name.startsWith("on") || before[name] === after[name],
    ),
);

function PatternRowView(props: PatternRowProps) {
  const { pattern, rowIndex, open, active, style, onToggle, onFilter } = props;
  const worst = severitiesOf(pattern);
  const onClick = () => {
    if (window.getSelection()?.isCollapsed !== false) onToggle(pattern);
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: j, k and Enter on the grid do the same
    <div
      id={`pattern-${pattern.id}`}
      role="row"
      aria-level={1}
      aria-rowindex={rowIndex}
      aria-expanded={open}
      aria-selected={active}
      className={`${styles.grid} ${styles.row}`}
      data-open={open}
      data-active={active}
      data-condition={`pattern:${pattern.id}`}
      style={style}
      onClick={onClick}
    >
      <span
        className={styles.tick}
        style={{ background: `var(--${severityRole[worst[0]?.[0] ?? "unset"]})` }}
        aria-hidden="true"
      />
      <span role="gridcell" className={`${styles.count} tabular`}>
        <span className={styles.number}>{formatCount(pattern.count)}</span>
        <span className={styles.share}>{formatShare(pattern.share)}</span>
        <span className={styles.track} aria-hidden="true">
          <span style={{ width: `${Math.min(100, pattern.share * 100)}%` }} />
        </span>
      </span>
      <span role="gridcell" className={styles.spark}>
        <Spark counts={pattern.counts} label={sparkLabel(props)} />
      </span>
      <span role="gridcell" className={`${styles.template} mono`} title={pattern.template}>
        <Template template={pattern.template} />
      </span>
      <span role="gridcell" className={styles.severities}>
        {worst.slice(0, 2).map(([severity, count]) => (
          <span key={severity} className={styles.severity} data-severity={severity}>
            <span
              className="swatch"
              style={{ background: `var(--${severityRole[severity]})` }}
              aria-hidden="true"
            />
            {severity}
            {worst.length > 1 && <span className="text3">{formatCount(count)}</span>}
          </span>
        ))}
      </span>
      <span role="gridcell" className={styles.services} title={servicesOf(pattern)}>
        {servicesOf(pattern) || "–"}
      </span>
      <span role="gridcell" className={`${styles.seen} tabular`}>
        {seenAt(Date.parse(pattern.first_seen), props)}
        {pattern.is_new && <span className={`tag ${styles.fresh}`}>new</span>}
      </span>
      <span role="gridcell" className={styles.actions}>
        <RowAction
          label={`Filter by pattern:${pattern.id}`}
          icon="plus"
          onClick={() => onFilter(pattern, false)}
        />
        <RowAction
          label={`Exclude pattern:${pattern.id}`}
          icon="minus"
          onClick={() => onFilter(pattern, true)}
        />
      </span>
    </div>
  );
}

function RowAction({ label, icon, onClick }: { label: string; icon: "plus" | "minus"; onClick: () => void }) {
  return (
    <button
      type="button"
      className={styles.action}
      aria-label={label}
      title={icon === "plus" ? "Show its records" : "Leave its records out"}
      onClick={(event) => {
        event.stopPropagation();
        onClick();
      }}
    >
      <Icon name={icon} small />
    </button>
  );
}

export function servicesOf(pattern: Pattern): string {
  return pattern.services.map(({ value }) => value).join(", ");
}

/** The clock on the day that the range begins or after it, the whole moment before that. */
function seenAt(ms: number, { zone, startMs }: PatternRowProps): string {
  return ms >= startOfDay(startMs, zone) ? formatClock(ms, zone) : formatMoment(ms, zone).slice(0, 16);
}

function sparkLabel({ pattern, zone, startMs, bucketMs }: PatternRowProps): string {
  const peak = Math.max(...pattern.counts);
  const at = startMs + pattern.counts.indexOf(peak) * bucketMs;
  return `Most at ${formatClock(at, zone)}: ${formatCount(peak)}`;
}
