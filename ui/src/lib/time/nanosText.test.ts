import { expect, test } from "vitest";
import { formatNanos, formatPercent, nanoTicks, tickNanos } from "./nanosText";

const plain = (text: string) => text.replaceAll("\u00a0", " ");

test.each([
  [0, "0 ms"],
  [7, "7 ns"],
  [400, "400 ns"],
  [1500, "1.5 µs"],
  [999_400, "999 µs"],
  [999_600, "1 ms"],
  [2_400_000, "2.4 ms"],
  [11_000_000, "11 ms"],
  [890_000_000, "890 ms"],
  [1_040_000_000, "1.04 s"],
  [1_300_000_000, "1.3 s"],
  [12_400_000_000, "12.4 s"],
  [72_000_000_000, "1 min 12 s"],
  [-1500, "−1.5 µs"],
])("%d ns", (ns, text) => {
  expect(plain(formatNanos(ns))).toBe(text);
});

test.each([
  [0.826, "82.6 %"],
  [1, "100 %"],
  [0.0004, "< 0.1 %"],
  [0, "0 %"],
])("the share %d", (share, text) => {
  expect(plain(formatPercent(share))).toBe(text);
});

test.each<[number, number, string[]]>([
  [0, 1043e6, ["0 ms", "200 ms", "400 ms", "600 ms", "800 ms", "1000 ms"]],
  [100e6, 102e6, ["100.0 ms", "100.5 ms", "101.0 ms", "101.5 ms", "102.0 ms"]],
  [0, 5e9, ["0 s", "1 s", "2 s", "3 s", "4 s", "5 s"]],
  [0, 100, ["0 ns", "20 ns", "40 ns", "60 ns", "80 ns", "100 ns"]],
])("ticks from %d to %d", (from, to, expected) => {
  const { ticks, stepNs } = nanoTicks(from, to, 6);
  expect(ticks.map((at) => plain(tickNanos(at, stepNs, to)))).toEqual(expected);
});
