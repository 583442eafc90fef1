// The frames of the live tail's WebSocket.
import { parseJson } from "../lib/json";
import { ApiError, addressOf, errorShape, get, tenantParam } from "./http";
import { type LogRecord, logRecord } from "./logs";
import { array, nullable, number, object, ShapeError, string } from "./validate";

export type LiveFrame =
  | { type: "hello"; query: string; position: string | null }
  | { type: "records"; records: LogRecord[]; dropped: number; unread: number; position: string | null }
  | { type: "pulse"; position: string | null }
  | { type: "error"; error: ApiError };

export type LiveRequest = { type: "query"; query: string } | { type: "pause" } | { type: "resume" };

const kind = object<{ type: string }>({ type: string });
const hello = object<{ query: string; position: string | null }>({
  query: string,
  position: nullable(string),
});
const pulse = object<{ position: string | null }>({ position: nullable(string) });
const records = object<{ records: LogRecord[]; dropped: number; unread: number; position: string | null }>({
  records: array(logRecord),
  dropped: number,
  unread: (value, path) => nullable(number)(value, path) ?? 0,
  position: nullable(string),
});

/** `after` is the position of the last frame that came: what was missed since then is sent first. */
export function liveAddress(query: string, after: string | null): string {
  const { protocol, host } = window.location;
  return `${protocol === "https:" ? "wss" : "ws"}://${host}${addressOf("/live", { query, after: after ?? undefined, ...tenantParam() })}`;
}

/** null for a kind of frame that this page does not know. Throws when a known one has another shape. */
export function parseLiveFrame(text: string): LiveFrame | null {
  const frame = parseFrame(text);
  const { type } = kind(frame, "frame");
  if (type === "hello") return { type, ...hello(frame, "frame") };
  if (type === "records") return { type, ...records(frame, "frame") };
  if (type === "pulse") return { type, ...pulse(frame, "frame") };
  if (type !== "error") return null;
  const { code, message, hint, position } = errorShape(frame, "frame").error;
  return { type, error: new ApiError(0, code, message, hint, position, null) };
}

function parseFrame(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    throw new ShapeError("frame", "JSON");
  }
}

/** Why the collector refused a live tail; null when a plain request is not refused for anything else than being one. */
export async function whyRefused(query: string, after: string | null): Promise<ApiError | null> {
  try {
    await get("/live", { query, after: after ?? undefined }, () => null);
    return null;
  } catch (error) {
    const telling = error instanceof ApiError && [400, 401, 403, 429, 503].includes(error.status);
    return telling ? error : null;
  }
}
