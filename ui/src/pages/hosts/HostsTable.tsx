import { Link, useNavigate } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useRef } from "react";
import { Spark } from "../../components/chart/Spark";
import { Icon } from "../../components/Icon";
import { useShortcuts } from "../../components/useShortcuts";
import { formatClock, formatDuration } from "../../lib/time/format";
import { encodeTimeView } from "../../lib/time/view";
import { formatValue } from "../../lib/units";
import styles from "./HostsTable.module.css";
import { type HostRow, heatStep, type Level, levelOf, type Resource, type SortKey } from "./rows";
import type { HostsView } from "./url";

interface HostsTableProps {
  rows: HostRow[];
  sparks: Map<string, (number | null)[]>;
  view: HostsView;
  /** The end of the time range, in seconds. */
  endS: number;
  onSort: (key: SortKey) => void;
}

interface Column {
  key: SortKey;
  name: string;
  /** Where there is little room, columns of a high number go first. */
  place: 1 | 2 | 3;
  cell: (row: HostRow) => ReactNode;
}

const rowPx = 32;
/** An agent sends every 15 s or so; after this it has gone silent. */
const silentS = 120;
const resourceNames: Record<Resource, string> = { cpu: "CPU", memory: "memory", io: "IO" };

/** One row per host; a click on a column's name sorts by it, `j` `k` move, Enter opens. */
export function HostsTable({ rows, sparks, view, endS, onSort }: HostsTableProps) {
  const scroll = useRef<HTMLElement>(null);
  const navigate = useNavigate();
  const list = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => rowPx,
    overscan: 10,
  });
  const move = (by: number) => {
    const links = [...(scroll.current?.querySelectorAll<HTMLElement>("a[data-host]") ?? [])];
    const at = links.indexOf(document.activeElement as HTMLElement);
    links[at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + by))]?.focus();
  };
  useShortcuts({ j: () => move(1), k: () => move(-1) });
  const columns = columnsOf(sparks, view, endS);
  return (
    <section ref={scroll} className={`panel ${styles.scroll}`} tabIndex={0} aria-label="Hosts, list">
      <div role="table" aria-label="Hosts" aria-rowcount={rows.length + 1} className={styles.table}>
        <div role="row" className={`${styles.row} ${styles.head}`}>
          {columns.map(({ key, name, place }) => (
            <span
              key={key}
              role="columnheader"
              data-place={place}
              aria-sort={
                view.sort === key ? (sortedDown(key, view.reverse) ? "descending" : "ascending") : "none"
              }
            >
              <button type="button" className={styles.sort} onClick={() => onSort(key)}>
                {name}
                {view.sort === key && (
                  <span className={sortedDown(key, view.reverse) ? undefined : styles.up}>
                    <Icon name="down" small />
                  </span>
                )}
              </button>
            </span>
          ))}
        </div>
        <div role="rowgroup" style={{ position: "relative", height: list.getTotalSize() }}>
          {list.getVirtualItems().map((item) => {
            const row = rows[item.index];
            if (!row) return null;
            const open = () =>
              navigate({ to: "/hosts/$host", params: { host: row.name }, search: encodeTimeView(view) });
            return (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the link in it does the same by keyboard
              <div
                key={row.name}
                role="row"
                aria-rowindex={item.index + 2}
                className={`${styles.row} ${styles.placed}`}
                style={{ transform: `translateY(${item.start}px)` }}
                onClick={open}
              >
                {columns.map(({ key, place, cell }) => (
                  <span key={key} role={key === "host" ? "rowheader" : "cell"} data-place={place}>
                    {cell(row)}
                  </span>
                ))}
              </div>
            );
          })}
        </div>
      </div>
    </section>
  );
}

/** Names begin with A, numbers with the highest. */
function sortedDown(key: SortKey, reverse: boolean): boolean {
  return key === "host" ? reverse : !reverse;
}

function columnsOf(sparks: HostsTableProps["sparks"], view: HostsView, endS: number): Column[] {
  const share = (value: number | null, level: Level = null) => (
    <Value level={level}>
      {value === null ? "–" : formatValue(value, "percentunit", value < 0.1 ? 1 : 0)}
    </Value>
  );
  const pressure = (key: SortKey, name: string, resource: Resource): Column => ({
    key,
    name,
    place: 3,
    cell: (row) => share(row.pressure[resource], levelOf("pressure", row.pressure[resource])),
  });
  return [
    {
      key: "host",
      name: "Host",
      place: 1,
      cell: (row) => (
        <Link
          to="/hosts/$host"
          params={{ host: row.name }}
          search={encodeTimeView(view)}
          className={styles.name}
          data-host=""
        >
          {row.name}
        </Link>
      ),
    },
    {
      key: "saturation",
      name: "Saturation",
      place: 1,
      cell: (row) => <Saturation row={row} spark={sparks.get(row.name) ?? []} />,
    },
    {
      key: "cpu",
      name: "CPU",
      place: 1,
      cell: (row) => <Meter share={row.cpuBusy} level={null} />,
    },
    {
      key: "load",
      name: "Load per core",
      place: 3,
      cell: (row) => (
        <Value level={levelOf("load", row.loadPerCore)}>{formatValue(row.loadPerCore, "none", 2)}</Value>
      ),
    },
    {
      key: "memory",
      name: "Memory",
      place: 1,
      cell: (row) => <Meter share={row.memoryUsed} level={levelOf("memory", row.memoryUsed)} />,
    },
    pressure("pressureCpu", "CPU wait", "cpu"),
    pressure("pressureMemory", "Memory wait", "memory"),
    pressure("pressureIo", "IO wait", "io"),
    {
      key: "fileSystem",
      name: "Fullest disk",
      place: 2,
      cell: (row) => (
        <span className={styles.pair} title={row.fileSystem?.mount}>
          <span className={styles.mount}>{row.fileSystem?.mount ?? ""}</span>
          {share(row.fileSystem?.used ?? null, levelOf("fileSystem", row.fileSystem?.used ?? null))}
        </span>
      ),
    },
    {
      key: "disk",
      name: "Disk busy",
      place: 3,
      cell: (row) => share(row.diskBusy, levelOf("disk", row.diskBusy)),
    },
    {
      key: "network",
      name: "Network in, out",
      place: 2,
      cell: (row) => (
        <span className="tabular">
          {formatValue(row.networkIn, "Bps")}, {formatValue(row.networkOut, "Bps")}
        </span>
      ),
    },
    {
      key: "uptime",
      name: "Up for",
      place: 3,
      cell: (row) => (row.uptimeS === null ? "–" : formatDuration(row.uptimeS * 1000)),
    },
    { key: "seen", name: "Last seen", place: 2, cell: (row) => <Seen row={row} view={view} endS={endS} /> },
  ];
}

function Saturation({ row: { name, saturation }, spark }: { row: HostRow; spark: (number | null)[] }) {
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

function Meter({ share, level }: { share: number | null; level: Level }) {
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

function Seen({ row: { lastSeenS }, view, endS }: { row: HostRow; view: HostsView; endS: number }) {
  if (lastSeenS === null) return <Value level={null}>–</Value>;
  const silent = endS - lastSeenS > silentS;
  return (
    <Value level={silent ? "warn" : null}>
      {silent
        ? `silent ${formatDuration((endS - lastSeenS) * 1000)}`
        : formatClock(lastSeenS * 1000, view.zone)}
    </Value>
  );
}

function Value({ level, children }: { level: Level; children: ReactNode }) {
  return (
    <span className={`tabular ${styles.value}`} data-level={level ?? undefined}>
      {children}
    </span>
  );
}
