import { keepPreviousData, useQueries } from "@tanstack/react-query";
import { useRef } from "react";
import { type InstantAnswer, queryInstant, queryRange, type RangeAnswer } from "../../api/prometheus";
import { rangeCache } from "../../components/chart/useAnswers";
import { type BuiltIns, interpolate, type Scope } from "../../lib/dashboard/interpolate";
import { durationS } from "../../lib/dashboard/json";
import type { Panel, Target } from "../../lib/dashboard/model";
import { stepText } from "../../lib/dashboard/resolve";
import type { TargetAnswer } from "../../lib/dashboard/series";
import { limiter } from "../../lib/limit";
import { type Grid, gridOf, minStepS, stepFor } from "../../lib/promql/range";
import type { Span } from "../../lib/time/range";

/** Of all panels together: the collector has other people to answer, too. */
const inFlight = limiter(4);
const rowLimit = 5000;

interface Asked {
  target: Target;
  query: string;
  instant: boolean;
}

export interface PanelAnswers {
  answers: TargetAnswer[];
  /** As they are asked. */
  queries: { refId: string; text: string; legend: string }[];
  grid: Grid;
  pending: boolean;
  fetching: boolean;
  error: Error | null;
  warnings: string[];
  histograms: number;
}

/** The answers of a panel's queries that can be asked; a panel out of sight keeps what it had. */
export function usePanelAnswers(
  panel: Panel,
  scope: Scope,
  span: Span,
  widthPx: number,
  generation: number,
  enabled: boolean,
): PanelAnswers {
  const shown = panel.targets.filter(
    ({ datasource, expr, hidden }) => datasource.kind === "prometheus" && expr.trim() !== "" && !hidden,
  );
  const leastS = Math.max(
    minStepS,
    panel.minIntervalS ?? 0,
    ...shown.map(({ interval }) => (interval === "" ? 0 : (stepText(interval, scope) ?? 0))),
  );
  const grid = gridOf(span, stepFor(span.endMs - span.startMs, Math.max(100, widthPx), leastS));
  const asked = shown.map((target): Asked => {
    const scrapeS = durationS(interpolate(target.interval, scope, null, "text")) ?? minStepS;
    const builtIns: BuiltIns = { ...span, stepS: grid.stepS, scrapeS };
    return {
      target,
      query: interpolate(target.expr, scope, builtIns, "promql"),
      instant: target.instant || panel.kind === "table",
    };
  });
  const held = useRef({ asked, grid, generation });
  if (enabled) held.current = { asked, grid, generation };
  const current = held.current.asked.length === asked.length ? held.current : { asked, grid, generation };
  const results = useQueries({
    queries: current.asked.map((one) => optionsOf(one, current.grid, current.generation, enabled)),
  });
  const datas = results.map(({ data }) => data);
  return {
    answers: current.asked.map(({ target, query, instant }, at) => ({
      target,
      query,
      series: seriesOf(datas[at], instant && panel.kind !== "table", current.grid),
    })),
    queries: asked.map(({ target, query }) => ({
      refId: target.refId,
      text: query,
      legend: interpolate(target.legend, scope, null, "text"),
    })),
    grid: current.grid,
    pending: results.some(({ isPending }) => isPending),
    fetching: results.some(({ isFetching }) => isFetching),
    error: results.find(({ error }) => error !== null)?.error ?? null,
    warnings: [...new Set(datas.flatMap((data) => data?.warnings ?? []))],
    histograms: datas.flatMap((data) => data?.series ?? []).filter(({ histograms }) => histograms).length,
  };
}

function optionsOf({ query, instant }: Asked, grid: Grid, generation: number, enabled: boolean) {
  return {
    queryKey: ["dashboard", instant ? "instant" : "range", query, instant ? grid.endS : grid, generation],
    queryFn: ({ signal }: { signal: AbortSignal }): Promise<RangeAnswer | InstantAnswer> =>
      instant
        ? inFlight(() => queryInstant({ query, timeS: grid.endS, limit: rowLimit }, signal), signal)
        : rangeCache.answer(query, grid, Date.now(), (part) =>
            inFlight(() => queryRange({ query, ...part }, signal), signal),
          ),
    enabled,
    placeholderData: keepPreviousData,
  };
}

/** One value stands at the end of the time. */
function seriesOf(data: RangeAnswer | InstantAnswer | undefined, atEnd: boolean, grid: Grid) {
  const series = data?.series ?? [];
  return atEnd ? series.map((one) => ({ ...one, times: one.times.slice(-1).map(() => grid.endS) })) : series;
}
