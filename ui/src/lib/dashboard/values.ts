// From values over time to the one that is shown, and how it reads: mapped, with its unit, past a limit.
import { formatValue } from "../units";
import { type Level, levelOf } from "./colours";
import type { FieldStyle, Mapping, ThresholdStep } from "./model";

/** Null where there is nothing to make it of. `values` without those that are no numbers. */
export function reduceValues(values: (number | null)[], calc: string): number | null {
  const present = values.filter((value): value is number => value !== null && !Number.isNaN(value));
  const [first] = present;
  const last = present.at(-1);
  if (first === undefined || last === undefined) return calc === "count" ? 0 : null;
  const sum = () => present.reduce((all, value) => all + value, 0);
  const min = () => present.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const max = () => present.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  switch (calc) {
    case "mean":
      return sum() / present.length;
    case "sum":
      return sum();
    case "min":
      return min();
    case "max":
      return max();
    case "count":
      return present.length;
    case "range":
      return max() - min();
    case "first":
    case "firstNotNull":
      return first;
    case "diff":
      return last - first;
    case "delta":
      return present.reduce(
        (all, value, at) => all + Math.max(0, at === 0 ? 0 : value - (present[at - 1] ?? 0)),
        0,
      );
    default:
      return last;
  }
}

export interface Shown {
  text: string;
  level: Level;
}

export function shownValue(value: number | null, style: FieldStyle): Shown {
  const mapping = style.mappings.find((one) => maps(one, value === null ? null : String(value), value));
  const step = value === null ? null : stepOf(value, style);
  const level = mapping?.colour ? levelOf(mapping.colour) : step ? levelOf(step.colour) : null;
  if (mapping?.text) return { text: mapping.text, level };
  if (value === null) return { text: style.noValue ?? "–", level: null };
  return { text: formatValue(value, style.unit, style.decimals), level };
}

/** Of a label's value. */
export function shownText(text: string, style: FieldStyle): Shown {
  const mapping = style.mappings.find((one) => maps(one, text, null));
  return { text: mapping?.text ?? text, level: mapping?.colour ? levelOf(mapping.colour) : null };
}

function maps({ match }: Mapping, text: string | null, value: number | null): boolean {
  switch (match.kind) {
    case "value":
      return text !== null && (match.value === text || (value !== null && Number(match.value) === value));
    case "range":
      return (
        value !== null &&
        value >= (match.from ?? Number.NEGATIVE_INFINITY) &&
        value <= (match.to ?? Number.POSITIVE_INFINITY)
      );
    case "regex":
      return text !== null && matches(match.pattern, text);
    case "special":
      if (match.what === "null" || match.what === "null+nan") return value === null && text === null;
      if (match.what === "empty") return text === "";
      return match.what === "true" ? text === "true" : match.what === "false" && text === "false";
  }
}

function matches(pattern: string, text: string): boolean {
  const bare = /^\/(.*)\/[a-z]*$/s.exec(pattern)?.[1] ?? pattern;
  try {
    return new RegExp(bare).test(text);
  } catch {
    return false;
  }
}

/** The limits as values, whatever they are written as. */
export function limitsOf(style: FieldStyle): { value: number; level: Level }[] {
  return style.thresholds.steps.flatMap((step) => {
    const value = absolute(step, style);
    return value === null ? [] : [{ value, level: levelOf(step.colour) }];
  });
}

function stepOf(value: number, style: FieldStyle): ThresholdStep | null {
  return (
    style.thresholds.steps.findLast((step) => {
      const limit = absolute(step, style);
      return limit === null || value >= limit;
    }) ?? null
  );
}

function absolute(step: ThresholdStep, { thresholds, min, max }: FieldStyle): number | null {
  if (step.value === null || !thresholds.percent) return step.value;
  const low = min ?? 0;
  return low + ((max ?? 100) - low) * (step.value / 100);
}

/** How much of its scale a value fills, 0 to 1. */
export function shareOf(value: number, style: FieldStyle, most: number): number {
  const low = style.min ?? 0;
  const high = style.max ?? (style.unit === "percentunit" ? 1 : style.unit === "percent" ? 100 : most);
  return high > low ? Math.min(1, Math.max(0, (value - low) / (high - low))) : 0;
}
