// One way to call the collector: same origin, JSON, every failure an ApiError that says what to do next.

import { parseJson } from "../lib/json";
import type { Position } from "../lib/query/position";
import { requestTenant } from "./scope";
import { type Check, nullable, number, object, ShapeError, string } from "./validate";

const base = "/api/v1/narrows";

export class ApiError extends Error {
  constructor(
    readonly status: number, // 0: no answer
    readonly code: string,
    message: string,
    readonly hint: string | null,
    readonly position: Position | null,
    readonly retryAfterS: number | null,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

/** The one form of every error, in answers and in frames of the live tail. */
export const errorShape = object({
  error: object({
    code: string,
    message: string,
    hint: nullable(string),
    position: nullable(object<Position>({ start: number, end: number })),
  }),
});

export type Params = Record<string, string | number | undefined>;

export async function get<T>(
  path: string,
  params: Params,
  check: Check<T>,
  signal?: AbortSignal,
): Promise<T> {
  const response = await send(addressOf(path, params), signal ? { signal } : {});
  return readBody(response, check, path);
}

/** Where a browser goes by itself: a link to download, a WebSocket. */
export function addressOf(path: string, params: Params): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) if (value !== undefined) query.set(name, String(value));
  return `${base}${path}${query.size > 0 ? `?${query}` : ""}`;
}

/** For calls that change something and answer with what it is now. */
export async function change<T>(
  method: "POST" | "PUT",
  path: string,
  body: unknown,
  check: Check<T>,
): Promise<T> {
  const headers = { "Content-Type": "application/json" };
  const response = await send(`${base}${path}`, { method, body: JSON.stringify(body), headers });
  return readBody(response, check, path);
}

/** For calls that answer with no content. */
export async function call(method: "POST" | "PUT" | "DELETE", path: string, body?: unknown): Promise<void> {
  const json =
    body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  await send(`${base}${path}`, { method, ...json });
}

/** One request; what fails is an ApiError, read from the answer by `errorOf`. */
export async function send(
  url: string,
  init: RequestInit,
  errorOf: (response: Response) => Promise<ApiError> = narrowsError,
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { credentials: "same-origin", ...withTenant(url, init) });
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new ApiError(
      0,
      "unreachable",
      "The collector does not answer",
      "Check that it runs, then try again.",
      null,
      null,
    );
  }
  if (!response.ok) throw await errorOf(response);
  return response;
}

/**
 * The server looks at a session's own tenant unless the header names another one that it may look at. Who one is does
 * not depend on that: the next person may have no role there.
 */
function withTenant(url: string, init: RequestInit): RequestInit {
  const tenant = requestTenant();
  if (tenant === null || url === `${base}/session`) return init;
  const headers = new Headers(init.headers);
  headers.set("X-Scope-OrgID", tenant);
  return { ...init, headers };
}

/** For what a browser asks for by itself, which carries no header. */
export function tenantParam(): Params {
  return { tenant: requestTenant() ?? undefined };
}

async function readBody<T>(response: Response, check: Check<T>, path: string): Promise<T> {
  return readChecked(response, (text) => check(parseJson(text), path.slice(1)));
}

export async function readChecked<T>(response: Response, read: (text: string) => T): Promise<T> {
  try {
    return read(await response.text());
  } catch (cause) {
    if (cause instanceof DOMException) throw cause;
    const what = cause instanceof ShapeError ? cause.message : "the answer is not JSON";
    const hint = "This page and the collector may be of different versions: reload the page.";
    throw new ApiError(
      response.status,
      "unexpected_answer",
      `Cannot read the collector's answer: ${what}`,
      hint,
      null,
      null,
    );
  }
}

async function narrowsError(response: Response): Promise<ApiError> {
  const retryAfter = Number(response.headers.get("Retry-After") ?? Number.NaN);
  const retryAfterS = Number.isFinite(retryAfter) ? retryAfter : null;
  try {
    const { error } = errorShape(await response.json(), "error");
    return new ApiError(response.status, error.code, error.message, error.hint, error.position, retryAfterS);
  } catch {
    const message = `The collector answered with status ${response.status}`;
    return new ApiError(response.status, "unknown", message, null, null, retryAfterS);
  }
}
