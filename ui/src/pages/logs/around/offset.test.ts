import { expect, test } from "vitest";
import { offsetText } from "./offset";

test.each<[bigint, string]>([
  [0n, "same"],
  [-999n, "−999 ns"],
  [1500n, "+1 µs"],
  [-340_900_000n, "−340 ms"],
  [2_000_000_000n, "+2 s"],
  [-4_590_000_000n, "−4.5 s"],
  [59_999_000_000n, "+59.9 s"],
  [-72_000_000_000n, "−1 min 12 s"],
])("%s ns", (nanos, text) => {
  expect(offsetText(nanos).replaceAll("\u00a0", " ")).toBe(text);
});
