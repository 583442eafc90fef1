import { get } from "./http";
import { type LogRecord, logRecord } from "./logs";
import { object } from "./validate";

const answer = object<{ record: LogRecord }>({ record: logRecord });

/** One record by its id, without its surroundings. */
export async function fetchRecord(id: string, signal?: AbortSignal): Promise<LogRecord> {
  const params = { id, before: 0, after: 0, same: "none" };
  return (await get("/logs/context", params, answer, signal)).record;
}
