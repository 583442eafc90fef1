import { formatDuration, formatMoment } from "../../lib/time/format";
import { type Zone, zoneLabel } from "../../lib/time/zone";
import { formatValue } from "../../lib/units";
import styles from "./HostPage.module.css";
import { type HostRow, type Level, levelOf, type Resource } from "./rows";

interface HostNumbersProps {
  row: HostRow | null;
  /** The end of the time range, in seconds. */
  endS: number;
  zone: Zone;
}

const waits: [resource: Resource, name: string][] = [
  ["cpu", "CPU"],
  ["io", "IO"],
  ["memory", "memory"],
];

/** The state at the end of the time range; what is past a limit is coloured and says so by its words. */
export function HostNumbers({ row, endS, zone }: HostNumbersProps) {
  const share = (value: number | null) =>
    formatValue(value, "percentunit", value !== null && value < 0.1 ? 1 : 0);
  const worst = row?.saturation ?? null;
  const others = waits
    .filter(([resource]) => resource !== worst?.resource && row?.pressure[resource] != null)
    .map(([resource, name]) => `${name} ${share(row?.pressure[resource] ?? null)}`);
  const started = row?.uptimeS == null ? null : (endS - row.uptimeS) * 1000;
  return (
    <dl className={styles.numbers}>
      <Stat
        name={`${waits.find(([resource]) => resource === worst?.resource)?.[1] ?? "CPU"} stalled`}
        value={share(worst?.share ?? null)}
        level={levelOf("pressure", worst?.share ?? null)}
        note={others.length > 0 ? others.join(", ") : "no pressure from this kernel"}
      />
      <Stat
        name="CPU busy"
        value={share(row?.cpuBusy ?? null)}
        note={row?.cores == null ? "" : `of ${row.cores} ${row.cores === 1 ? "core" : "cores"}`}
      />
      <Stat
        name="Load per core"
        value={formatValue(row?.loadPerCore, "none", 2)}
        level={levelOf("load", row?.loadPerCore ?? null)}
        note="over 1 min"
      />
      <Stat
        name="Memory used"
        value={share(row?.memoryUsed ?? null)}
        level={levelOf("memory", row?.memoryUsed ?? null)}
        note="without caches"
      />
      <Stat
        name="Fullest disk"
        value={share(row?.fileSystem?.used ?? null)}
        level={levelOf("fileSystem", row?.fileSystem?.used ?? null)}
        note={row?.fileSystem?.mount ?? ""}
      />
      <Stat
        name="Up for"
        value={row?.uptimeS == null ? "–" : formatDuration(row.uptimeS * 1000)}
        note={started === null ? "" : `since ${formatMoment(started, zone)} ${zoneLabel(zone, started)}`}
      />
    </dl>
  );
}

function Stat({
  name,
  value,
  note,
  level = null,
}: {
  name: string;
  value: string;
  note: string;
  level?: Level;
}) {
  return (
    <div className={`panel ${styles.number}`}>
      <dt>{name}</dt>
      <dd className={styles.value} data-level={level ?? undefined}>
        {value}
        {level && <span className="visually-hidden"> over its limit</span>}
      </dd>
      <dd className={styles.note} title={note}>
        {note}
      </dd>
    </div>
  );
}
