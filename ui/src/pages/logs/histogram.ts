// What the histogram shows, without a canvas: bars in pixels, totals, a sentence.
import type { HistogramAnswer } from "../../api/logs";
import { formatCount, plural } from "../../lib/number";
import { valueTicks } from "../../lib/scale";
import { type Severity, severities } from "../../lib/severity";
import { formatClock, formatDay, formatDuration, needsDays } from "../../lib/time/format";
import type { Span } from "../../lib/time/range";
import type { Zone } from "../../lib/time/zone";

export interface Area {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface Bar {
  x: number;
  y: number;
  width: number;
  height: number;
  severity: Severity;
}

/** Drawn from the base line up: the quiet ones below, the worst on top, where they show. */
const stackOrder = [...severities].reverse();

export function histogramSpan(answer: HistogramAnswer): Span {
  const startMs = Date.parse(answer.start);
  return { startMs, endMs: startMs + answer.buckets * answer.bucket_ms };
}

export function totalAt(answer: HistogramAnswer, bucket: number): number {
  return answer.series.reduce((sum, series) => sum + (series.counts[bucket] ?? 0), 0);
}

export function countsBySeverity(answer: HistogramAnswer): [Severity, number][] {
  return severities
    .map((severity): [Severity, number] => {
      const series = answer.series.find((candidate) => candidate.severity === severity);
      return [severity, series?.counts.reduce((sum, count) => sum + count, 0) ?? 0];
    })
    .filter(([, count]) => count > 0);
}

export function withSeverities(answer: HistogramAnswer, kept: Severity[]): HistogramAnswer {
  return { ...answer, series: answer.series.filter((series) => kept.includes(series.severity)) };
}

/** The top of the value axis: the highest bar with a little air. */
export function axisMax(answer: HistogramAnswer): number {
  let max = 1;
  for (let bucket = 0; bucket < answer.buckets; bucket += 1) max = Math.max(max, totalAt(answer, bucket));
  return Math.max(max * 1.05, valueTicks(max).at(-1) ?? 1);
}

/** Bars on whole pixels, so that all gaps are equally sharp. Every count above zero is at least one pixel high. */
export function layoutBars(answer: HistogramAnswer, area: Area, max: number): Bar[] {
  const slot = area.width / Math.max(1, answer.buckets);
  const gap = slot >= 10 ? 2 : slot >= 3 ? 1 : 0;
  const edge = (bucket: number) => {
    const x = area.left + bucket * slot;
    return gap > 0 ? Math.round(x) : x;
  };
  const bars: Bar[] = [];
  for (let bucket = 0; bucket < answer.buckets; bucket += 1) {
    let bottom = area.top + area.height;
    for (const severity of stackOrder) {
      const count = answer.series.find((series) => series.severity === severity)?.counts[bucket] ?? 0;
      if (count === 0) continue;
      const height = Math.max(1, Math.round((count / max) * area.height));
      bottom -= height;
      const x = edge(bucket);
      bars.push({ x, y: bottom, width: edge(bucket + 1) - x - gap, height, severity });
    }
  }
  return bars;
}

/** The bucket under a pixel, or null beside the bars. */
export function bucketAt(answer: HistogramAnswer, area: Area, x: number): number | null {
  const bucket = Math.floor(((x - area.left) / area.width) * answer.buckets);
  return bucket >= 0 && bucket < answer.buckets ? bucket : null;
}

/** A drag selects whole bars, from the first that it touches to the last. */
export function draggedSpan(answer: HistogramAnswer, area: Area, fromX: number, toX: number): Span {
  const clamp = (x: number) => Math.min(Math.max(x, area.left), area.left + area.width - 0.001);
  const first = bucketAt(answer, area, clamp(Math.min(fromX, toX))) ?? 0;
  const last = bucketAt(answer, area, clamp(Math.max(fromX, toX))) ?? answer.buckets - 1;
  return bucketsSpan(answer, first, last);
}

/** From one bucket to another, both included, in either order. */
export function bucketsSpan(answer: HistogramAnswer, one: number, other: number): Span {
  const { startMs } = histogramSpan(answer);
  const [first, last] = [Math.min(one, other), Math.max(one, other)];
  return { startMs: startMs + first * answer.bucket_ms, endMs: startMs + (last + 1) * answer.bucket_ms };
}

/** Where a key takes the bucket cursor; null when the key is none of its own. */
export function movedCursor(key: string, cursor: number, buckets: number): number | null {
  const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 };
  const step = steps[key];
  const to = key === "Home" ? 0 : key === "End" ? buckets - 1 : step === undefined ? null : cursor + step;
  return to === null ? null : Math.min(Math.max(to, 0), buckets - 1);
}

/** What a bucket holds: "10:03:30, 12 records: 3 error, 9 info". */
export function describeBucket(answer: HistogramAnswer, bucket: number, zone: Zone): string {
  const total = totalAt(answer, bucket);
  const parts = severities.flatMap((severity) => {
    const count = answer.series.find((series) => series.severity === severity)?.counts[bucket] ?? 0;
    return count > 0 ? [`${formatCount(count)} ${severity}`] : [];
  });
  const counts = total === 0 ? "no records" : `${plural(total, "record")}: ${parts.join(", ")}`;
  return `${bucketTime(answer, bucket, zone)}, ${counts}`;
}

/** One sentence for who cannot see the bars. */
export function describeHistogram(answer: HistogramAnswer, zone: Zone): string {
  let peak = 0;
  for (let bucket = 1; bucket < answer.buckets; bucket += 1) {
    if (totalAt(answer, bucket) > totalAt(answer, peak)) peak = bucket;
  }
  const total = answer.series.reduce((sum, series) => sum + series.counts.reduce((a, b) => a + b, 0), 0);
  if (total === 0) return "No records in this time range.";
  const parts = countsBySeverity(answer).map(([severity, count]) => `${formatCount(count)} ${severity}`);
  const when = bucketTime(answer, peak, zone);
  return `${plural(total, "record")} (${parts.join(", ")}), most in the ${formatDuration(answer.bucket_ms)} from ${when}: ${formatCount(totalAt(answer, peak))}.`;
}

export function bucketTime(answer: HistogramAnswer, bucket: number, zone: Zone): string {
  const span = histogramSpan(answer);
  const ms = span.startMs + bucket * answer.bucket_ms;
  return needsDays(span, zone) ? `${formatDay(ms, zone)} ${formatClock(ms, zone)}` : formatClock(ms, zone);
}
