// Which pattern a record has: the collector tells patterns of records, not the pattern of one.
import type { LogRecord } from "../../../api/logs";
import type { Pattern, PatternsAnswer } from "../../../api/patterns";
import { existsCondition, fieldCondition } from "../../../lib/query/edit";
import { instantOf, nanosOf } from "../../../lib/time/nanos";

export interface Moment {
  query: string;
  start: string;
  end: string;
}

/** What asks for the record, and for as few others as can be: its nanosecond, service and host. */
export function momentOf(record: LogRecord): Moment | null {
  const nanos = nanosOf(record.timestamp);
  if (nanos === null || record.body === null) return null;
  const query = [sameValue("service", record.service), sameValue("host", record.host)].join(" ");
  return { query, start: instantOf(nanos), end: instantOf(nanos + 1n) };
}

function sameValue(field: string, value: string | null): string {
  return value === null ? `-${existsCondition(field)}` : fieldCondition(field, value);
}

/** Of the patterns of that moment the one that is this record's; null: it has none, or nobody can tell. */
export function ownPattern(answer: PatternsAnswer, id: string): Pattern | null {
  const shown = answer.patterns.find(({ examples }) => examples.some((example) => example.id === id));
  const alone = answer.patterns.length === 1 && answer.without_pattern === 0;
  return shown ?? (alone ? (answer.patterns[0] ?? null) : null);
}
