/** "4bf92f35…4736": enough of a trace id to know it again. */
export function shortId(traceId: string): string {
  return traceId.length > 14 ? `${traceId.slice(0, 8)}…${traceId.slice(-4)}` : traceId;
}
