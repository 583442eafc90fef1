// Values as text by unit. Units carry Grafana's ids, because dashboards do; SI and IEC names where Grafana has none.
import { formatMoment, NBSP } from "./time/format";
import { unitFamilies } from "./unitTable";

/** One step of a unit: a value divided by `factor` is read with `suffix`. */
export interface UnitStep {
  factor: number;
  suffix: string;
}

const fallback: UnitStep[] = [{ factor: 1, suffix: "" }];

/** The steps of a unit, the smallest first. */
export function unitSteps(unit: string): UnitStep[] {
  const known = unitFamilies[unit];
  if (known) return known;
  const [kind, text] = splitUnit(unit);
  if (kind === "suffix") return [{ factor: 1, suffix: text.trim() }];
  if (kind === "si") return siSteps(text);
  return fallback;
}

/** The step in which a value of this size is read: 3.2e9 bytes are GiB. */
export function unitStep(unit: string, size: number): UnitStep {
  const steps = unitSteps(unit);
  const magnitude = Math.abs(size);
  // 999.5 would be written as 1,000 of the step below.
  const at = steps.findLastIndex(({ factor }) => magnitude >= factor * 0.9995);
  return steps[Math.max(0, at)] ?? { factor: 1, suffix: "" };
}

/** "3.2 GiB", "58 %", "940 ms", "–" for what is not there. */
export function formatValue(value: number | null | undefined, unit: string, decimals?: number): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (unit in words) return words[unit]?.(value) ?? "";
  const [kind, text] = splitUnit(unit);
  if (kind === "prefix" || kind === "currency") return `${text}${digits(value, decimals)}`;
  const { factor, suffix } = unitStep(unit, value);
  const number = digits(value / factor, decimals);
  return suffix === "" ? number : `${number}${NBSP}${suffix}`;
}

/** A value without its unit, in the step that the axis uses. */
export function formatInStep(value: number, { factor }: UnitStep, stepSize: number): string {
  return grouped(value === 0 ? 0 : value / factor, placesOf(stepSize / factor));
}

/** What an axis or a title says for values up to this size: "GiB", "ms", "". */
export function unitLabel(unit: string, size: number): string {
  if (unit in words) return "";
  const [kind, text] = splitUnit(unit);
  return kind === "prefix" || kind === "currency" ? text : unitStep(unit, size).suffix;
}

/** Units whose values are no numbers to a reader: dates, yes and no. */
export function isWordUnit(unit: string): boolean {
  return unit in words;
}

const words: Record<string, (value: number) => string> = {
  dateTimeAsIso: (ms) => formatMoment(ms, "utc"),
  dateTimeAsIsoNoDateIfToday: (ms) => formatMoment(ms, "utc"),
  dateTimeAsUS: (ms) => formatMoment(ms, "utc"),
  dateTimeAsLocal: (ms) => formatMoment(ms, "local"),
  dateTime: (ms) => formatMoment(ms, "utc"),
  bool: (value) => (value === 0 ? "false" : "true"),
  bool_yes_no: (value) => (value === 0 ? "no" : "yes"),
  bool_on_off: (value) => (value === 0 ? "off" : "on"),
  hex: (value) => `0x${Math.trunc(value).toString(16).toUpperCase()}`,
  hex0x: (value) => `0x${Math.trunc(value).toString(16).toUpperCase()}`,
  sci: (value) => value.toExponential(2),
  string: (value) => String(value),
};

function splitUnit(unit: string): ["suffix" | "prefix" | "si" | "currency" | "", string] {
  const match = /^(suffix|prefix|si|currency):(.*)$/s.exec(unit);
  return match ? [match[1] as "suffix", match[2] ?? ""] : ["", ""];
}

function siSteps(unit: string): UnitStep[] {
  const prefixes: [number, string][] = [
    [1e-9, "n"],
    [1e-6, "µ"],
    [1e-3, "m"],
    [1, ""],
    [1e3, "k"],
    [1e6, "M"],
    [1e9, "G"],
    [1e12, "T"],
  ];
  return prefixes.map(([factor, prefix]) => ({ factor, suffix: `${prefix}${unit}` }));
}

/** Three significant digits, whole from a thousand on. */
function digits(value: number, decimals: number | undefined): string {
  if (decimals !== undefined) return grouped(value, decimals);
  const magnitude = Math.abs(value);
  if (magnitude === 0) return "0";
  if (magnitude < 0.001) return value.toExponential(1);
  const places = magnitude >= 99.95 ? 0 : magnitude >= 9.995 ? 1 : magnitude >= 0.9995 ? 2 : 3;
  return trimmed(grouped(value, places));
}

function placesOf(step: number): number {
  for (let places = 0; places < 6; places += 1)
    if (Math.abs(step - Number(step.toFixed(places))) <= Math.abs(step) * 1e-6) return places;
  return 6;
}

function trimmed(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

const formats = new Map<number, Intl.NumberFormat>();

function grouped(value: number, places: number): string {
  const format =
    formats.get(places) ??
    new Intl.NumberFormat("en-US", { minimumFractionDigits: places, maximumFractionDigits: places });
  formats.set(places, format);
  return format.format(value).replace("-", "−");
}
