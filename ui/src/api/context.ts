// The records before and after one record, by time.
import { get } from "./http";
import { type LogRecord, logRecord } from "./logs";
import { array, boolean, type Check, object, ShapeError } from "./validate";

/** What the lines around share with the record; `stream` is its resource and its log file. */
export type Same = "stream" | "service" | "host" | "none";

export interface Context {
  /** Oldest first, up to the record. */
  before: LogRecord[];
  record: LogRecord;
  /** Oldest first, from the record on. */
  after: LogRecord[];
  /** What is the same, by field. */
  same: { [field: string]: string };
  more_before: boolean;
  more_after: boolean;
}

const texts: Check<{ [field: string]: string }> = (value, path) => {
  if (typeof value !== "object" || value === null) throw new ShapeError(path, "an object");
  return Object.fromEntries(Object.entries(value).map(([name, text]) => [name, String(text)]));
};
const context = object<Context>({
  before: array(logRecord),
  record: logRecord,
  after: array(logRecord),
  same: texts,
  more_before: boolean,
  more_after: boolean,
});

export function fetchContext(
  request: { id: string; before: number; after: number; same: Same },
  signal?: AbortSignal,
): Promise<Context> {
  return get("/logs/context", { ...request }, context, signal);
}
