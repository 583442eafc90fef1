// What stands in the cells of the list of hosts.
import type { ReactNode } from "react";
import { Spark } from "../../components/chart/Spark";
import { formatClock, formatDuration } from "../../lib/time/format";
import { formatValue } from "../../lib/units";
import styles from "./HostsTable.module.css";
import { type HostRow, heatStep, type Level, levelOf, type Resource } from "./rows";
import type { HostsView } from "./url";

/** An agent sends every 15 s or so; after this it has gone silent. */
const silentS = 120;
const resourceNames: Record<Resource, string> = { cpu: "CPU", memory: "memory", io: "IO" };

export function Saturation({ row: { name, saturation }, spark }: { row: HostRow; spark: (number | null)[] }) {
  const level = levelOf("pressure", saturation?.share ?? null);
  return (
    <span className={styles.saturation}>
      <span
        className={styles.heat}
        style={{ background: saturation ? `var(--heat-${heatStep(saturation.share)})` : undefined }}
      />
      <Value level={level}>{formatValue(saturation?.share ?? null, "percentunit", 0)}</Value>
      <span className={styles.resource}>{saturation ? resourceNames[saturation.resource] : ""}</span>
      <span className={styles.spark}>
        <Spark values={spark} label={`Saturation of ${name} over the time range`} level={level} />
      </span>
    </span>
  );
}

export function Meter({ share, level }: { share: number | null; level: Level }) {
  if (share === null) return <Value level={null}>–</Value>;
  return (
    <span className={styles.meter}>
      <span className={styles.track} aria-hidden="true">
        <span
          className={styles.bar}
          data-level={level ?? undefined}
          style={{ width: `${Math.min(100, Math.max(0, share * 100))}%` }}
        />
      </span>
      <Value level={level}>{formatValue(share, "percentunit", 0)}</Value>
    </span>
  );
}

export function Seen({ row: { lastSeenS }, view, endS }: { row: HostRow; view: HostsView; endS: number }) {
  if (lastSeenS === null) return <Value level={null}>–</Value>;
  const silent = endS - lastSeenS > silentS;
  return (
    <Value level={silent ? "warn" : null}>
      {silent
        ? `${formatDuration((endS - lastSeenS) * 1000).split(" ")[0]} ago`
        : formatClock(lastSeenS * 1000, view.zone)}
    </Value>
  );
}

export function Value({ level, children }: { level: Level; children: ReactNode }) {
  return (
    <span className={`tabular ${styles.value}`} data-level={level ?? undefined}>
      {children}
    </span>
  );
}
