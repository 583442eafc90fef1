// The frames of the live tail's WebSocket.
import { parseJson } from "../lib/json";
import { ApiError, addressOf, errorShape, get } from "./http";
import { type LogRecord, logRecord } from "./logs";
import { array, number, object, ShapeError, string } from "./validate";

export type LiveFrame =
  | { type: "hello"; query: string }
  | { type: "records"; records: LogRecord[]; dropped: number }
  | { type: "pulse" }
  | { type: "error"; error: ApiError };

export type LiveRequest = { type: "query"; query: string } | { type: "pause" } | { type: "resume" };

const kind = object<{ type: string }>({ type: string });
const hello = object<{ query: string }>({ query: string });
const records = object<{ records: LogRecord[]; dropped: number }>({
  records: array(logRecord),
  dropped: number,
});

export function liveAddress(query: string): string {
  const { protocol, host } = window.location;
  return `${protocol === "https:" ? "wss" : "ws"}://${host}${addressOf("/live", { query })}`;
}

/** null for a kind of frame that this page does not know. Throws when a known one has another shape. */
export function parseLiveFrame(text: string): LiveFrame | null {
  const frame = parseFrame(text);
  const { type } = kind(frame, "frame");
  if (type === "hello") return { type, ...hello(frame, "frame") };
  if (type === "records") return { type, ...records(frame, "frame") };
  if (type === "pulse") return { type };
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
export async function whyRefused(query: string): Promise<ApiError | null> {
  try {
    await get("/live", { query }, () => null);
    return null;
  } catch (error) {
    const telling = error instanceof ApiError && [401, 403, 429, 503].includes(error.status);
    return telling || (error instanceof ApiError && error.code === "bad_query") ? error : null;
  }
}
