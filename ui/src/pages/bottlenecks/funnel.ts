// Where the added time went: one row per hop, what it passes on, what it keeps, and that the keeps sum to the symptom.
import type { Hop, Sli, Verdict } from "../../api/bottlenecks";
import { unitStep } from "../../lib/units";
import { addedOf, culpritPlace } from "./model";

/** `self` of the culprit is violet, of others half of it. */
export type PartKind = "culprit" | "self" | "queueing" | "network" | "unexplained";

export interface Part {
  kind: PartKind;
  /** In the symptom's unit. */
  amount: number;
}

export interface FunnelRow {
  /** Null: what no hop keeps. */
  hop: Hop | null;
  isCulprit: boolean;
  adds: number;
  passesOn: number;
  keeps: number;
  parts: Part[];
  /** As it is written, in the funnel's unit: the keeps sum to the total digit by digit. */
  text: { adds: string; passesOn: string; keeps: string };
}

export interface Funnel {
  rows: FunnelRow[];
  total: number;
  totalText: string;
  /** "ms", "s", "%". */
  unit: string;
}

/** Every amount of the kind, over all rows. */
export interface Sum {
  kind: PartKind;
  amount: number;
  text: string;
}

/** A hop's keep by what it is; what is none of them is not explained. */
export function partsOf(hop: Hop, isCulprit: boolean): Part[] {
  const known = hop.keeps_self + hop.keeps_queueing + hop.keeps_network;
  const parts: Part[] = [
    { kind: isCulprit ? "culprit" : "self", amount: hop.keeps_self },
    { kind: "queueing", amount: hop.keeps_queueing },
    { kind: "network", amount: hop.keeps_network },
    { kind: "unexplained", amount: hop.keeps - known },
  ];
  // What rounding left is no part of its own.
  return parts.filter(({ amount }) => amount > Math.abs(hop.keeps) * 0.002 && amount > 0);
}

export function funnelOf(verdict: Verdict): Funnel {
  const { path, symptom } = verdict;
  const total = addedOf(symptom);
  const at = culpritRow(verdict);
  const rest = total - path.reduce((sum, { keeps }) => sum + keeps, 0);
  const { factor, unit, places } = scaleOf(total, symptom.sli);
  const written = (value: number) => grouped(value, places);
  const hasRest = Math.abs(rest) / factor >= 0.5 * 10 ** -places;
  const kept = [...path.map(({ keeps }) => keeps), ...(hasRest ? [rest] : [])];
  const [sum, rounded] = roundToSum(
    kept.map((value) => value / factor),
    total / factor,
    places,
  );
  let passed = sum;
  const rows = path.map((hop, index): FunnelRow => {
    const before = path[index - 1];
    const isChain = index === 0 ? isNear(hop.adds, total) : before && isNear(before.passes_on, hop.adds);
    const adds = isChain ? passed : hop.adds / factor;
    const keeps = rounded[index] ?? 0;
    passed = adds - keeps;
    const isLast = index === path.length - 1 && isNear(hop.passes_on, 0, total);
    return {
      hop,
      isCulprit: index === at,
      adds: hop.adds,
      passesOn: hop.passes_on,
      keeps: hop.keeps,
      parts: partsOf(hop, index === at),
      text: {
        adds: written(adds),
        passesOn: isLast ? "–" : written(isChain ? passed : hop.passes_on / factor),
        keeps: written(keeps),
      },
    };
  });
  if (hasRest)
    rows.push({
      hop: null,
      isCulprit: false,
      adds: rest,
      passesOn: 0,
      keeps: rest,
      parts: [{ kind: "unexplained", amount: Math.max(0, rest) }],
      text: { adds: written(rounded.at(-1) ?? 0), passesOn: "–", keeps: written(rounded.at(-1) ?? 0) },
    });
  return { rows, total, totalText: written(sum), unit };
}

/** Of an edge the end that keeps more, because either side may have measured it. */
function culpritRow(verdict: Verdict): number | null {
  const { hop, isEdge } = culpritPlace(verdict);
  if (hop === null || !isEdge) return hop;
  const keeps = (at: number) => verdict.path[at]?.keeps ?? 0;
  return keeps(hop + 1) > keeps(hop) ? hop + 1 : hop;
}

const order: PartKind[] = ["culprit", "self", "queueing", "network", "unexplained"];

export function sumsOf({ rows, total }: Funnel, sli: Sli): Sum[] {
  const { factor, places } = scaleOf(total, sli);
  return order.flatMap((kind) => {
    const amount = rows
      .flatMap(({ parts }) => parts)
      .reduce((sum, part) => sum + (part.kind === kind ? part.amount : 0), 0);
    return amount > 0 ? [{ kind, amount, text: grouped(amount / factor, places) }] : [];
  });
}

export interface Segment extends Part {
  /** 0 to 1 of the symptom. */
  share: number;
}

/** The explained bar: the culprit, what others keep, what nobody explains. Not localised: the candidates. */
export function segmentsOf(verdict: Verdict): Segment[] {
  const total = addedOf(verdict.symptom);
  if (!(total > 0)) return [];
  const parts =
    verdict.culprit === null
      ? candidateParts(verdict, total)
      : sumsOf(funnelOf(verdict), verdict.symptom.sli).map(({ kind, amount }) => ({ kind, amount }));
  const all = Math.max(
    total,
    parts.reduce((sum, { amount }) => sum + amount, 0),
  );
  return parts.map((part) => ({ ...part, share: part.amount / all }));
}

function candidateParts({ contributors }: Verdict, total: number): Part[] {
  const parts = contributors.map(
    ({ entity, contribution }): Part => ({
      kind: entity.type === "edge" ? "network" : "self",
      amount: Math.max(0, contribution),
    }),
  );
  const rest = total - parts.reduce((sum, { amount }) => sum + amount, 0);
  return [...parts, ...(rest > 0 ? [{ kind: "unexplained" as const, amount: rest }] : [])];
}

/** One unit for all rows, with so many decimals that the symptom has three digits. */
export function scaleOf(total: number, sli: Sli): { factor: number; unit: string; places: number } {
  const inBase = sli === "latency" ? Math.abs(total) / 1000 : Math.abs(total);
  const step = unitStep(sli === "latency" ? "s" : "percentunit", inBase);
  const factor = sli === "latency" ? step.factor * 1000 : step.factor;
  const size = Math.abs(total) / factor;
  return { factor, unit: step.suffix, places: size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2 };
}

/**
 * Rounds so that the parts sum to the rounded whole: the largest remainders take what is left. What they are short of
 * the whole by more than rounding stays a difference.
 */
export function roundToSum(parts: number[], whole: number, places: number): [sum: number, parts: number[]] {
  const size = 10 ** places;
  const target = Math.round(whole * size);
  const floors = parts.map((part) => Math.floor(part * size + 1e-9));
  const left = target - floors.reduce((sum, one) => sum + one, 0);
  const byRemainder = parts
    .map((part, at) => ({ at, remainder: part * size - (floors[at] ?? 0) }))
    .sort((a, b) => b.remainder - a.remainder || a.at - b.at);
  for (const { at } of byRemainder.slice(0, Math.max(0, left))) floors[at] = (floors[at] ?? 0) + 1;
  return [target / size, floors.map((one) => one / size)];
}

function isNear(a: number, b: number, of = Math.max(Math.abs(a), Math.abs(b))): boolean {
  return Math.abs(a - b) <= of * 0.002;
}

function grouped(value: number, places: number): string {
  const text = value.toLocaleString("en-US", {
    minimumFractionDigits: places,
    maximumFractionDigits: places,
  });
  // No "−0".
  return Number(text.replaceAll(",", "")) === 0 ? text.replace("-", "") : text.replace("-", "−");
}
