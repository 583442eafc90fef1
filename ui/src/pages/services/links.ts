// Where the services pages lead: the traces, logs and metrics of what is looked at.
import { fieldCondition } from "../../lib/query/edit";
import type { Range } from "../../lib/time/range";
import { encodeTimeView, plainTime } from "../../lib/time/view";
import type { Zone } from "../../lib/time/zone";
import { encodeLogsView, plainView as plainLogs } from "../logs/url";

export interface Frame {
  range: Range;
  zone: Zone;
}

export interface TracesLinkSearch {
  query: string;
  order?: "slowest";
  from?: string;
  to?: string;
  zone?: "local";
}

/** The search of traces; conditions are joined by AND. */
export function tracesSearch(
  conditions: string[],
  { range, zone }: Frame,
  slowest = false,
): TracesLinkSearch {
  return {
    query: conditions.join(" "),
    ...(slowest && { order: "slowest" as const }),
    ...encodeTimeView({ ...plainTime, range, zone }),
  };
}

export function ofService(service: string): string {
  return fieldCondition("service", service);
}

export function ofOperation(service: string, operation: string, kind: string): string[] {
  return [ofService(service), fieldCondition("name", operation), fieldCondition("kind", kind)];
}

export function logsOf(service: string, { range, zone }: Frame) {
  return encodeLogsView({ ...plainLogs, query: ofService(service), range, zone });
}
