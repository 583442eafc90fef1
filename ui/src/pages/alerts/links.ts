// Where an alert leads: what its labels name, at the time when it was there.
import type { Alert, Labels } from "../../api/alerts";
import { formatMatchers, type Matcher, matchersOf } from "../../lib/matchers";
import { fieldCondition } from "../../lib/query/edit";
import { absoluteRange, presets, type Range, type Span } from "../../lib/time/range";
import type { Zone } from "../../lib/time/zone";
import { encodeLogsView, plainView as plainLogs } from "../logs/url";
import { hostOf, lastedMs, serviceOf, startMs } from "./model";

/** Pages that the other parts of the app own; as text, so that their parameters stay theirs. */
export const rulesPath: string = "/alerts/rules";
export const receiversPath: string = "/alerts/receivers";

export function silencePath(id: string): string {
  return `/alerts/silences/${encodeURIComponent(id)}`;
}

const minuteMs = 60_000;

/** The alert's time and what was before and after it. Of one that is open up to now, in a range that people know. */
export function rangeOf(alert: Alert, nowMs: number): Range {
  const lasted = lastedMs(alert, nowMs);
  const pendingMs = (alert.rule?.for_s ?? 0) * 1000;
  const lead = pendingMs + Math.min(Math.max(30 * minuteMs, lasted / 2), 12 * 60 * minuteMs);
  const start = startMs(alert) - lead;
  if (alert.state !== "resolved") return presets.find(({ from }) => nowMs - ago(from) <= start) ?? last();
  const end = startMs(alert) + lasted;
  return absoluteRange({
    startMs: Math.floor(start / minuteMs) * minuteMs,
    endMs: Math.min(nowMs, Math.ceil((end + lead / 2) / minuteMs) * minuteMs),
  });
}

function last(): Range {
  return presets.at(-1) ?? { from: "now-30d", to: "now" };
}

const unitsMs: Record<string, number> = { m: minuteMs, h: 60 * minuteMs, d: 1440 * minuteMs };

function ago(from: string): number {
  const [, count = "0", unit = "m"] = /^now-(\d+)(\w)$/.exec(from) ?? [];
  return Number(count) * (unitsMs[unit] ?? 0);
}

/** Service and host as conditions of a search; empty when the labels name neither. */
export function conditionsOf(labels: Labels): string[] {
  const [service, host] = [serviceOf(labels), hostOf(labels)];
  return [
    ...(service === null ? [] : [fieldCondition("service", service)]),
    ...(host === null ? [] : [fieldCondition("host", host)]),
  ];
}

export function logsSearch(query: string, span: Span, zone: Zone) {
  return encodeLogsView({ ...plainLogs, query, range: absoluteRange(span), zone });
}

/** The form of a silence for just this alert. */
export function silenceSearch(labels: Labels): { filter: string } {
  return { filter: formatMatchers(matchersOf(labels)) };
}

export function silenceSearchOf(matchers: Matcher[]): { filter: string } {
  return { filter: formatMatchers(matchers) };
}

export function ruleSearch({ rule }: Alert): { rule: string } {
  return { rule: `${rule?.group}/${rule?.name}` };
}
