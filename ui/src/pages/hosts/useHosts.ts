import { useInstants, useRanges } from "../../components/chart/useAnswers";
import { gridOf, gridTimes, onGrid, rateInterval, stepFor } from "../../lib/promql/range";
import type { Span } from "../../lib/time/range";
import { type ListQuery, listQueries, sparkQueries } from "./queries";
import { type Answers, hostRows } from "./rows";

/** A spark is so many values wide. */
const sparkPoints = 60;
/** Of one column: hosts times file systems, at most. */
const valueLimit = 20_000;

/** The hosts as they were at the end of the span; of one host when it is named. */
export function useHostRows(host: string | null, span: Span, generation: number) {
  const queries = Object.entries(listQueries(host)) as [ListQuery, string][];
  const timeS = Math.floor(span.endMs / 1000);
  const asked = queries.map(([, text]) => ({ text, timeS, generation, enabled: true }));
  const results = useInstants(asked, valueLimit);
  const answers: Answers = {};
  for (const [at, [name]] of queries.entries()) {
    const data = results[at]?.data;
    if (data) answers[name] = data.series;
  }
  const failed = results.filter(({ error }) => error !== null);
  return {
    rows: hostRows(answers),
    pending: results.some(({ isPending }) => isPending),
    /** All columns failed: there is nothing to show. */
    error: failed.length === results.length ? (failed[0]?.error ?? null) : null,
    /** Some did: their columns are empty. */
    warnings: [
      ...new Set([
        ...results.flatMap(({ data }) => data?.warnings ?? []),
        ...(failed.length < results.length ? failed.flatMap(({ error }) => error?.message ?? []) : []),
      ]),
    ],
  };
}

/** What each host waited for over the span; where no kernel says so, how busy its CPU was. */
export function useSparks(span: Span, generation: number) {
  const stepS = stepFor(span.endMs - span.startMs, sparkPoints);
  const grid = gridOf(span, stepS);
  const texts = sparkQueries(`${rateInterval(stepS)}s`);
  const [pressure, cpuBusy] = useRanges(
    [texts.pressure, texts.cpuBusy].map((text) => ({ text, grid, generation, enabled: true })),
  );
  const sparks = new Map<string, (number | null)[]>();
  for (const answer of [cpuBusy, pressure])
    for (const points of answer?.data?.series ?? [])
      sparks.set(points.labels.host_name ?? "", onGrid(points, grid));
  return { sparks, times: gridTimes(grid) };
}
