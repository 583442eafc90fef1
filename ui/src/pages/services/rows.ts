// Lists of services and of operations: their order, what is found in them, and when a number is past a limit.
import type { Numbers } from "../../api/services";

export type Level = "warn" | "crit" | null;

/** Shares of failed calls. */
const [warnErrors, critErrors] = [0.01, 0.05];
/** Below it a difference of errors is none: one failed call must not outweigh seconds of latency. */
const errorStep = 0.001;

export function errorLevel(share: number | null): Level {
  if (share === null) return null;
  return share >= critErrors ? "crit" : share >= warnErrors ? "warn" : null;
}

export interface Row extends Numbers {
  name: string;
  operations: number;
}

type Value = (row: Row) => number | null;

const values = {
  rate: ({ rate }) => rate,
  errors: ({ errors }) => errors,
  p50: ({ p50_ns }) => p50_ns,
  p95: ({ p95_ns }) => p95_ns,
  p99: ({ p99_ns }) => p99_ns,
  operations: ({ operations }) => operations,
} satisfies Record<string, Value>;

export type SortKey = "worst" | "name" | keyof typeof values;
export const sortKeys = ["worst", "name", ...Object.keys(values)] as SortKey[];

/** Highest first, names from A; `reverse` the other way. What is not known is always last. */
export function sortRows<T extends Row>(rows: T[], key: SortKey, reverse: boolean): T[] {
  const direction = reverse ? -1 : 1;
  if (key === "name") return [...rows].sort((a, b) => direction * byName(a, b));
  const wanted: Value[] = key === "worst" ? [steppedErrors, values.p95] : [values[key]];
  return [...rows].sort((a, b) => {
    for (const value of wanted) {
      const order = compare(value(a), value(b), direction);
      if (order !== 0) return order;
    }
    return byName(a, b);
  });
}

/** Names begin with A, numbers with the highest. */
export function sortedDown(key: SortKey, reverse: boolean): boolean {
  return key === "name" ? reverse : !reverse;
}

export function ariaSort(key: SortKey, sort: SortKey, reverse: boolean): "ascending" | "descending" | "none" {
  if (sort !== key) return "none";
  return sortedDown(key, reverse) ? "descending" : "ascending";
}

function compare(one: number | null, other: number | null, direction: number): number {
  if (one === null || other === null) return Number(one === null) - Number(other === null);
  return direction * (other - one);
}

function steppedErrors({ errors }: Row): number {
  return Math.floor((errors ?? 0) / errorStep);
}

function byName(a: Row, b: Row): number {
  return a.name.localeCompare(b.name, "en", { numeric: true });
}

/** Names that have every word. */
export function hasWords(name: string, wanted: string): boolean {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  return words.every((word) => name.toLowerCase().includes(word));
}

/** What the service takes, and what it does beside: calls, and spans within. Who takes nothing is told by the others. */
export function entryOperations<T extends { kind: string }>(operations: T[]): { entry: T[]; others: T[] } {
  const isEntry = ({ kind }: T) => kind === "server" || kind === "consumer";
  const entry = operations.filter(isEntry);
  if (entry.length === 0) return { entry: operations, others: [] };
  return { entry, others: operations.filter((one) => !isEntry(one)) };
}
