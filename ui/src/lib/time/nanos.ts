// Instants with nanoseconds stay RFC 3339 text; JavaScript's numbers cannot hold them.
const form = /^(.+?T\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/;

/** Nanoseconds since 1970, or null when the text is not an RFC 3339 instant. */
export function nanosOf(instant: string): bigint | null {
  const match = form.exec(instant);
  if (!match) return null;
  const ms = Date.parse(`${match[1]}${match[3]}`);
  if (Number.isNaN(ms)) return null;
  return BigInt(ms) * 1_000_000n + BigInt((match[2] ?? "").padEnd(9, "0"));
}

export function instantOf(nanos: bigint): string {
  const second = nanos / 1_000_000_000n - (nanos % 1_000_000_000n < 0n ? 1n : 0n);
  const fraction = nanos - second * 1_000_000_000n;
  const text = new Date(Number(second) * 1000).toISOString().slice(0, 19);
  return `${text}.${String(fraction).padStart(9, "0")}Z`;
}
