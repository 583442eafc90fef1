// Alertmanager's API v2, as the collector speaks it: alerts by matchers, and silences.
import { formatMatcher, type Matcher } from "../lib/matchers";
import { ApiError, errorShape, readChecked, send } from "./http";
import { array, boolean, type Check, nullable, object, oneOf, ShapeError, string } from "./validate";

const base = "/alertmanager/api/v2";

type Labels = Record<string, string>;

export interface AmAlert {
  fingerprint: string;
  labels: Labels;
  annotations: Labels;
  startsAt: string;
  status: { state: "active" | "suppressed" | "unprocessed"; silencedBy: string[]; inhibitedBy: string[] };
}

/** Alerts that go into one message. */
export interface AmGroup {
  labels: Labels;
  receiver: { name: string };
  alerts: AmAlert[];
}

export interface SilenceMatcher {
  name: string;
  value: string;
  isRegex: boolean;
  /** False: the matcher is negated. */
  isEqual: boolean;
}

export interface Silence {
  id: string;
  matchers: SilenceMatcher[];
  startsAt: string;
  endsAt: string;
  updatedAt: string;
  createdBy: string;
  comment: string;
  status: { state: "expired" | "active" | "pending" };
}

export interface NewSilence {
  /** The silence that is changed; Alertmanager may give it a new id. */
  id?: string;
  matchers: Matcher[];
  startsAt: string;
  endsAt: string;
  createdBy: string;
  comment: string;
}

const labels: Check<Labels> = (value, path) => {
  if (typeof value !== "object" || value === null) throw new ShapeError(path, "an object");
  for (const [name, text] of Object.entries(value)) string(text, `${path}.${name}`);
  return value as Labels;
};

const strings: Check<string[]> = (value, path) => nullable(array(string))(value, path) ?? [];

const amAlert = object<AmAlert>({
  fingerprint: string,
  labels,
  annotations: labels,
  startsAt: string,
  status: object<AmAlert["status"]>({
    state: oneOf("active", "suppressed", "unprocessed"),
    silencedBy: strings,
    inhibitedBy: strings,
  }),
});

const amGroup = object<AmGroup>({
  labels,
  receiver: object<AmGroup["receiver"]>({ name: string }),
  alerts: array(amAlert),
});

const silence = object<Silence>({
  id: string,
  matchers: array(
    object<SilenceMatcher>({
      name: string,
      value: string,
      isRegex: boolean,
      isEqual: (value, path) => nullable(boolean)(value, path) ?? true,
    }),
  ),
  startsAt: string,
  endsAt: string,
  updatedAt: string,
  createdBy: string,
  comment: string,
  status: object<Silence["status"]>({ state: oneOf("expired", "active", "pending") }),
});

export function fetchAmAlerts(matchers: Matcher[], signal: AbortSignal): Promise<AmAlert[]> {
  return ask(`/alerts${filters(matchers)}`, array(amAlert), signal);
}

/** The groups with alerts that match; of each only those. */
export function fetchAmGroups(matchers: Matcher[], signal: AbortSignal): Promise<AmGroup[]> {
  return ask(`/alerts/groups${filters(matchers)}`, array(amGroup), signal);
}

export function fetchSilences(matchers: Matcher[], signal: AbortSignal): Promise<Silence[]> {
  return ask(`/silences${filters(matchers)}`, array(silence), signal);
}

export function fetchSilence(id: string, signal: AbortSignal): Promise<Silence> {
  return ask(`/silence/${encodeURIComponent(id)}`, silence, signal);
}

/** Answers with the id of the silence. */
export async function saveSilence({ matchers, ...rest }: NewSilence): Promise<string> {
  const body = JSON.stringify({ ...rest, matchers: matchers.map(toSilenceMatcher) });
  const headers = { "Content-Type": "application/json" };
  const response = await send(`${base}/silences`, { method: "POST", headers, body }, amError);
  const { silenceID } = await readChecked(response, (text) =>
    object<{ silenceID: string }>({ silenceID: string })(JSON.parse(text), "silence"),
  );
  return silenceID;
}

export async function expireSilence(id: string): Promise<void> {
  await send(`${base}/silence/${encodeURIComponent(id)}`, { method: "DELETE" }, amError);
}

export function toSilenceMatcher({ name, op, value }: Matcher): SilenceMatcher {
  return { name, value, isRegex: op.endsWith("~"), isEqual: !op.startsWith("!") };
}

export function fromSilenceMatcher({ name, value, isRegex, isEqual }: SilenceMatcher): Matcher {
  const op = isRegex ? (isEqual ? "=~" : "!~") : isEqual ? "=" : "!=";
  return { name, op, value };
}

function filters(matchers: Matcher[]): string {
  const params = new URLSearchParams(matchers.map((matcher) => ["filter", formatMatcher(matcher)]));
  return params.size > 0 ? `?${params}` : "";
}

async function ask<T>(path: string, check: Check<T>, signal: AbortSignal): Promise<T> {
  const response = await send(`${base}${path}`, { signal }, amError);
  return readChecked(response, (text) => check(JSON.parse(text), path.slice(1).replace(/[/?].*/, "")));
}

/** Alertmanager refuses with a text, or `{code, message}`; the collector's guard before it with our own form. */
async function amError(response: Response): Promise<ApiError> {
  const { status } = response;
  const text = await response.text();
  const made = (message: string, code = "refused", hint: string | null = null) =>
    new ApiError(status, code, message, hint, null, null);
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === "string") return made(body);
    if (typeof body === "object" && body !== null && "message" in body) return made(String(body.message));
    const { error } = errorShape(body, "error");
    return made(error.message, error.code, error.hint);
  } catch {
    return made(text.trim() === "" ? `The collector answered with status ${status}` : text.trim());
  }
}
