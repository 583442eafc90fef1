import { describe, expect, test } from "vitest";
import { formatInStep, formatValue, unitLabel, unitStep } from "./units";

const spaced = (text: string) => text.replaceAll("\u00a0", " ");

describe("a value in its unit", () => {
  test.each([
    [0, "bytes", "0 B"],
    [1536, "bytes", "1.5 KiB"],
    [8.3 * 2 ** 30, "bytes", "8.3 GiB"],
    [1500, "decbytes", "1.5 kB"],
    [61.8e6, "Bps", "61.8 MB/s"],
    [2 ** 21, "binBps", "2 MiB/s"],
    [1e9, "bps", "1 Gb/s"],
    [58, "percent", "58 %"],
    [0.574, "percentunit", "57.4 %"],
    [0.94, "s", "940 ms"],
    [0.0000042, "s", "4.2 µs"],
    [90, "s", "1.5 min"],
    [3_542_400, "s", "41 d"],
    [940, "ms", "940 ms"],
    [1500, "ms", "1.5 s"],
    [412, "reqps", "412 req/s"],
    [4500, "reqps", "4.5 k req/s"],
    [11_800, "short", "11.8 k"],
    [999.6, "short", "1 k"],
    [-2000, "short", "−2 k"],
    [3100.4, "none", "3,100"],
    [0.0000123, "none", "1.2e-5"],
    [64, "celsius", "64 °C"],
    [2.4e9, "hertz", "2.4 GHz"],
    [1_764_065_860_000, "dateTimeAsIso", "2025-11-25 10:17:40"],
    [1, "bool_yes_no", "yes"],
    [3, "suffix: of 8", "3 of 8"],
    [4200, "si:req", "4.2 kreq"],
    [12.5, "currency:$", "$12.5"],
    [42, "a unit that nobody knows", "42"],
    [null, "bytes", "–"],
    [Number.NaN, "s", "–"],
    [Number.POSITIVE_INFINITY, "s", "∞"],
  ])("%d %s is %s", (value, unit, text) => {
    expect(spaced(formatValue(value, unit))).toBe(text);
  });

  test("decimals are kept when they are asked for", () => {
    expect(spaced(formatValue(2, "s", 2))).toBe("2.00 s");
    expect(spaced(formatValue(1234.5678, "none", 1))).toBe("1,234.6");
  });
});

describe("an axis", () => {
  test.each([
    ["bytes", 40 * 2 ** 30, 10 * 2 ** 30, 20 * 2 ** 30, "20", "GiB"],
    ["s", 0.94, 0.2, 0.4, "400", "ms"],
    ["percentunit", 0.8, 0.25, 0.5, "50", "%"],
    ["percentunit", 0.02, 0.005, 0.015, "1.5", "%"],
    ["short", 0.3, 0.1, 0.2, "0.2", ""],
    ["none", 2.5, 0.25, 0.5, "0.50", ""],
  ])("%s up to %d by %d writes %d as %s and says %s", (unit, size, step, value, text, label) => {
    expect(formatInStep(value, unitStep(unit, size), step)).toBe(text);
    expect(unitLabel(unit, size)).toBe(label);
  });
});
