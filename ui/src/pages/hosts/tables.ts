// The tables of one host, put together from one answer per column.
import type { Points } from "../../api/prometheus";

export interface FileSystemRow {
  mount: string;
  device: string;
  type: string;
  used: number;
  size: number;
  share: number;
}

/** The fullest first. */
export function fileSystemRows(used: Points[], size: Points[]): FileSystemRow[] {
  const sizes = new Map(size.map((points) => [keyOf(points.labels), points.values.at(-1) ?? 0]));
  return used
    .map(({ labels, values }) => {
      const bytes = values.at(-1) ?? 0;
      const whole = sizes.get(keyOf(labels)) ?? 0;
      return {
        mount: labels.system_filesystem_mountpoint ?? "",
        device: labels.system_device ?? "",
        type: labels.system_filesystem_type ?? "",
        used: bytes,
        size: whole,
        share: whole > 0 ? bytes / whole : 0,
      };
    })
    .filter(({ size: whole }) => whole > 0)
    .sort((a, b) => b.share - a.share || a.mount.localeCompare(b.mount));
}

export interface ProcessRow {
  name: string;
  pid: string;
  /** Cores. */
  cpu: number;
  memory: number | null;
}

/** Those that use most CPU first. */
export function processRows(cpu: Points[], memory: Points[]): ProcessRow[] {
  const sizes = new Map(memory.map((points) => [keyOf(points.labels), points.values.at(-1) ?? null]));
  return cpu
    .map(({ labels, values }) => ({
      name: labels.process_executable_name ?? "unknown",
      pid: labels.process_pid ?? "",
      cpu: values.at(-1) ?? 0,
      memory: sizes.get(keyOf(labels)) ?? null,
    }))
    .filter((row) => Number.isFinite(row.cpu))
    .sort((a, b) => b.cpu - a.cpu || a.name.localeCompare(b.name));
}

function keyOf(labels: Record<string, string>): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}
