import { formatDuration, NBSP } from "../../../lib/time/format";

/** How far from the record, with its sign: "−340 ms", "+2 s"; under a millisecond in µs. */
export function offsetText(nanos: bigint): string {
  const size = nanos < 0n ? -nanos : nanos;
  const sign = nanos < 0n ? "−" : "+";
  if (size < 1000n) return size === 0n ? "same" : `${sign}${size}${NBSP}ns`;
  if (size < 1_000_000n) return `${sign}${size / 1000n}${NBSP}µs`;
  return `${sign}${formatDuration(Number(size / 1_000_000n))}`;
}
