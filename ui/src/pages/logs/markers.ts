// What happened in the time of the histogram: changes that were told, and alerts that began to fire.
import type { Alert } from "../../api/alerts";
import type { Change } from "../../api/changes";
import type { HistogramAnswer } from "../../api/logs";
import { choiceOf } from "../../lib/query/edit";
import { formatClock } from "../../lib/time/format";
import type { Span } from "../../lib/time/range";
import type { Zone } from "../../lib/time/zone";
import { histogramSpan } from "./histogram";

export interface Marker {
  ms: number;
  kind: "change" | "alert";
  /** "catalog: deploy, 2.30 to 2.31"; "ServiceErrors of checkout fires". */
  text: string;
  /** Its text stands on the chart; the others tell theirs at the cursor. */
  important: boolean;
}

/** By time. A query for single services has the markers of those, and of what has no service. */
export function markersOf(changes: Change[], alerts: Alert[], query: string, span: Span): Marker[] {
  const { included, excluded } = choiceOf(query, "service");
  const isAsked = (service: string | null | undefined) =>
    !service || ((included.length === 0 || included.includes(service)) && !excluded.includes(service));
  const told = changes
    .filter(({ service }) => isAsked(service))
    .map(({ at, text, kind, service, host }) => {
      const on = service ?? host;
      return { ms: Date.parse(at), kind: "change" as const, text: `${on ? `${on}: ` : ""}${kind}, ${text}` };
    });
  const fired = alerts
    .filter(({ state, labels }) => state !== "pending" && isAsked(labels.service))
    .map(({ starts_at, name, labels }) => {
      const on = labels.service ?? labels.host_name ?? labels.instance;
      return {
        ms: Date.parse(starts_at),
        kind: "alert" as const,
        text: `${name}${on ? ` of ${on}` : ""} fires`,
      };
    });
  const found = [...told, ...fired]
    .filter(({ ms }) => ms >= span.startMs && ms < span.endMs)
    .sort((a, b) => a.ms - b.ms);
  const matters = importantOf(found);
  return found.map((one) => ({ ...one, important: one === matters }));
}

/** The last change before something fired; without one of either the latest change, else the first alert. */
function importantOf<T extends Pick<Marker, "ms" | "kind">>(found: T[]): T | undefined {
  const alert = found.find(({ kind }) => kind === "alert");
  const changes = found.filter(({ kind }) => kind === "change");
  const before = alert && changes.findLast(({ ms }) => ms <= alert.ms);
  return before ?? changes.at(-1) ?? alert;
}

/** Those in one bucket. */
export function markersAt(markers: Marker[], answer: HistogramAnswer, bucket: number): Marker[] {
  const from = histogramSpan(answer).startMs + bucket * answer.bucket_ms;
  return markers.filter(({ ms }) => ms >= from && ms < from + answer.bucket_ms);
}

/** "10:03:05 catalog: schema, DROP INDEX products_sku". */
export function markerText({ ms, text }: Marker, zone: Zone): string {
  return `${formatClock(ms, zone)} ${text}`;
}

/** For who cannot see them, at most five. */
export function describeMarkers(markers: Marker[], zone: Zone): string {
  if (markers.length === 0) return "";
  const told = markers.slice(0, 5).map((marker) => markerText(marker, zone));
  const more = markers.length > told.length ? `; and ${markers.length - told.length} more` : "";
  return ` Happened: ${told.join("; ")}${more}.`;
}
