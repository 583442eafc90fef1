import { expect, test } from "vitest";
import { formatBytes, formatCount, formatExact, formatTick, formatTook, plural } from "./number";

test.each([
  [0, "0"],
  [88, "88"],
  [3100, "3,100"],
  [9999, "9,999"],
  [10_000, "10.0 k"],
  [11_840, "11.8 k"],
  [41_000, "41.0 k"],
  [141_200, "141 k"],
  [999_600, "1.0 M"],
  [4_100_000, "4.1 M"],
  [12_340_000_000, "12.3 G"],
])("counts %d as %s", (value, text) => {
  expect(formatCount(value)).toBe(text.replace(" ", "\u00a0"));
});

test("ticks have no needless decimal", () => {
  expect(formatTick(20_000)).toBe("20\u00a0k");
  expect(formatTick(2500)).toBe("2,500");
  expect(formatTick(12_500)).toBe("12.5\u00a0k");
});

test("exact counts keep every digit", () => {
  expect(formatExact(156_904)).toBe("156,904");
});

test.each([
  [0.42, "0.4 ms"],
  [1, "1 ms"],
  [38.2, "38 ms"],
  [1234, "1.2 s"],
])("takes %d ms as %s", (ms, text) => {
  expect(formatTook(ms)).toBe(text.replace(" ", "\u00a0"));
});

test.each([
  [512, "512 B"],
  [41_300_000, "39.4 MiB"],
  [1_073_741_824, "1 GiB"],
])("sizes %d as %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text.replace(" ", "\u00a0"));
});

test("plurals", () => {
  expect(plural(1, "record")).toBe("1 record");
  expect(plural(3100, "record")).toBe("3,100 records");
});
