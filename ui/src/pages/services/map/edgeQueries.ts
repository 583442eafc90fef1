// PromQL of what the callers of a database, a queue or an external see. The families are those that spans are made into.

/** Of each ten seconds a count, so that a rate is their sum over time. */
export function edgeQueries(server: string, windowS: number) {
  const of = `server=${JSON.stringify(server)}`;
  const over = (metric: string, more = "") => `sum_over_time(${metric}{${of}${more}}[${windowS}s])`;
  const calls = `sum(${over("narrows_edge_calls")})`;
  return {
    rate: `${calls} / ${windowS}`,
    // Without a failed call there is no series of them.
    errors: `(sum(${over("narrows_edge_calls", ', status="error"')}) or ${calls} * 0) / ${calls}`,
    p95: `histogram_quantile(0.95, sum(${over("narrows_edge_client_seconds")}))`,
  };
}

/** A bucket of spans is so long. */
export const bucketS = 10;

/** At least a few buckets, because a rate of a single one jumps. */
export function windowFor(stepS: number): number {
  return Math.max(Math.ceil(stepS / bucketS) * bucketS, 3 * bucketS);
}
