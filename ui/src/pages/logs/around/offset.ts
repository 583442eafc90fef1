import { formatDuration, NBSP } from "../../../lib/time/format";

const second = 1_000_000_000n;

/** How far from the record, with its sign: "−340 ms", "+2.5 s"; under a millisecond in µs. */
export function offsetText(nanos: bigint): string {
  const size = nanos < 0n ? -nanos : nanos;
  const sign = nanos < 0n ? "−" : "+";
  if (size < 1000n) return size === 0n ? "same" : `${sign}${size}${NBSP}ns`;
  if (size < 1_000_000n) return `${sign}${size / 1000n}${NBSP}µs`;
  // Lines stand seconds apart; whole seconds would give many of them the same distance.
  if (size >= second && size < 60n * second) {
    const tenths = Number(size / (second / 10n)) / 10;
    return `${sign}${tenths}${NBSP}s`;
  }
  return `${sign}${formatDuration(Number(size / 1_000_000n))}`;
}
