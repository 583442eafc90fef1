// What the symptom's chart has beside its lines. Pure.
import type { SymptomSeries, VerdictWindow } from "../../api/bottlenecks";
import type { Annotation, Usual } from "../../lib/chart/series";
import { formatDuration } from "../../lib/time/format";

/** As wide as the onset is uncertain. */
export function onsetAnnotation({ onset_s, onset_interval_s }: VerdictWindow): Annotation {
  return {
    time: onset_s - onset_interval_s,
    endTime: onset_s + onset_interval_s,
    text: onset_interval_s > 0 ? `onset ± ${formatDuration(onset_interval_s * 1000)}` : "onset",
    onset: true,
  };
}

/** The change that is next to the onset has its words; those of the others are told on hover. */
export function changeAnnotations(
  changes: SymptomSeries["changes"],
  { onset_s }: VerdictWindow,
): Annotation[] {
  const before = changes.filter(({ at_s }) => at_s <= onset_s + 1);
  const nearest = before.reduce<(typeof changes)[number] | null>(
    (best, one) => (best === null || one.at_s >= best.at_s ? one : best),
    null,
  );
  return changes.map((one) => ({ time: one.at_s, text: one.text, important: one === nearest }));
}

/** The median with its spread on both sides. */
export function usualBand(baseline: SymptomSeries["baseline"], factor: number): Usual | undefined {
  if (baseline === null) return undefined;
  const { median, mad } = baseline;
  // Three of them hold nearly every usual value.
  return { low: Math.max(0, (median - 3 * mad) * factor), high: (median + 3 * mad) * factor };
}
