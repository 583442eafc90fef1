// The list of hosts, put together from one answer per column.
import type { Points } from "../../api/prometheus";
import type { ListQuery } from "./queries";

export type Resource = "cpu" | "memory" | "io";

export interface HostRow {
  name: string;
  cpuBusy: number | null;
  cores: number | null;
  loadPerCore: number | null;
  memoryUsed: number | null;
  pressure: Record<Resource, number | null>;
  /** The fullest file system. */
  fileSystem: { mount: string; used: number } | null;
  diskBusy: number | null;
  networkIn: number | null;
  networkOut: number | null;
  /** Seconds. */
  uptimeS: number | null;
  lastSeenS: number | null;
  saturation: { resource: Resource; share: number } | null;
}

export type Answers = Partial<Record<ListQuery, Points[]>>;

const resources: Resource[] = ["cpu", "memory", "io"];

export function hostRows(answers: Answers): HostRow[] {
  const names = new Set(
    Object.values(answers).flatMap((series) => series.flatMap(({ labels }) => labels.host_name ?? [])),
  );
  return [...names].map((name) => hostRow(name, answers));
}

function hostRow(name: string, answers: Answers): HostRow {
  const value = (query: ListQuery, label?: string, wanted?: string) =>
    lastOf(answers[query] ?? [], name, label, wanted);
  const cores = value("cores");
  const load = value("load");
  const pressure = {
    cpu: value("pressure", "resource", "cpu"),
    memory: value("pressure", "resource", "memory"),
    io: value("pressure", "resource", "io"),
  };
  const cpuBusy = value("cpuBusy");
  return {
    name,
    cpuBusy,
    cores,
    loadPerCore: load === null || !cores ? null : load / cores,
    memoryUsed: value("memoryUsed"),
    pressure,
    fileSystem: fullest(answers.fileSystems ?? [], name),
    diskBusy: value("diskBusy"),
    networkIn: value("network", "network_io_direction", "receive"),
    networkOut: value("network", "network_io_direction", "transmit"),
    uptimeS: value("uptime"),
    lastSeenS: highest(value("lastSeen"), value("lastSeenBefore")),
    saturation: saturationOf(pressure, cpuBusy),
  };
}

/** The resource that is waited for most; a busy CPU where the kernel does not say how long things wait. */
function saturationOf(pressure: HostRow["pressure"], cpuBusy: number | null): HostRow["saturation"] {
  const known = resources
    .map((resource) => ({ resource, share: pressure[resource] }))
    .filter((one): one is { resource: Resource; share: number } => one.share !== null)
    .sort((a, b) => b.share - a.share);
  return known[0] ?? (cpuBusy === null ? null : { resource: "cpu", share: cpuBusy });
}

function fullest(series: Points[], name: string): HostRow["fileSystem"] {
  let found: HostRow["fileSystem"] = null;
  for (const { labels, values } of series) {
    const used = values.at(-1);
    if (labels.host_name !== name || used === undefined || Number.isNaN(used)) continue;
    if (found === null || used > found.used)
      found = { mount: labels.system_filesystem_mountpoint ?? "", used };
  }
  return found;
}

function lastOf(series: Points[], host: string, label?: string, wanted?: string): number | null {
  const found = series.find(
    ({ labels }) => labels.host_name === host && (label === undefined || labels[label] === wanted),
  );
  const value = found?.values.at(-1);
  return value === undefined || Number.isNaN(value) ? null : value;
}

function highest(one: number | null, other: number | null): number | null {
  return one === null ? other : other === null ? one : Math.max(one, other);
}

export type SortKey =
  | "host"
  | "saturation"
  | "cpu"
  | "load"
  | "memory"
  | "pressureCpu"
  | "pressureMemory"
  | "pressureIo"
  | "fileSystem"
  | "disk"
  | "network"
  | "uptime"
  | "seen";

const keys: Record<Exclude<SortKey, "host">, (row: HostRow) => number | null> = {
  saturation: (row) => row.saturation?.share ?? null,
  cpu: (row) => row.cpuBusy,
  load: (row) => row.loadPerCore,
  memory: (row) => row.memoryUsed,
  pressureCpu: (row) => row.pressure.cpu,
  pressureMemory: (row) => row.pressure.memory,
  pressureIo: (row) => row.pressure.io,
  fileSystem: (row) => row.fileSystem?.used ?? null,
  disk: (row) => row.diskBusy,
  network: (row) =>
    row.networkIn === null && row.networkOut === null ? null : (row.networkIn ?? 0) + (row.networkOut ?? 0),
  uptime: (row) => row.uptimeS,
  seen: (row) => row.lastSeenS,
};

export const sortKeys = ["host", ...Object.keys(keys)] as SortKey[];

/** Highest first, names from A; `reverse` the other way. What is not known is always last. */
export function sortRows(rows: HostRow[], key: SortKey, reverse: boolean): HostRow[] {
  const direction = reverse ? -1 : 1;
  const byName = (a: HostRow, b: HostRow) => a.name.localeCompare(b.name, "en", { numeric: true });
  if (key === "host") return [...rows].sort((a, b) => direction * byName(a, b));
  const value = keys[key];
  return [...rows].sort((a, b) => {
    const [one, other] = [value(a), value(b)];
    if (one === null || other === null) return Number(one === null) - Number(other === null) || byName(a, b);
    return direction * (other - one) || byName(a, b);
  });
}

/** Hosts whose name has every word. */
export function filterRows(rows: HostRow[], wanted: string): HostRow[] {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)));
}

export type Level = "warn" | "crit" | null;

const limits: Record<"pressure" | "memory" | "fileSystem" | "load" | "disk", [warn: number, crit: number]> = {
  pressure: [0.25, 0.4],
  memory: [0.9, 0.96],
  fileSystem: [0.85, 0.95],
  load: [1.5, 3],
  disk: [0.9, 0.98],
};

/** Is a limit passed? A busy CPU alone is none: it is there to be used. */
export function levelOf(what: keyof typeof limits, value: number | null): Level {
  if (value === null) return null;
  const [warn, crit] = limits[what];
  return value >= crit ? "crit" : value >= warn ? "warn" : null;
}

/** Seven steps of stalled time: 0, 2, 5, 10, 25, 40, 60 %. */
export function heatStep(share: number): number {
  return [0.02, 0.05, 0.1, 0.25, 0.4, 0.6].filter((limit) => share >= limit).length;
}
