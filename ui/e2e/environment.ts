// What the tests against a real collector need to know. Missing variables fail at once, by name.
import { appendFileSync } from "node:fs";

export function required(name: string, meaning: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`set ${name}: ${meaning}`);
  return value;
}

export const collectorUrl = required("NARROWS_URL", "the collector's HTTP address, http://127.0.0.1:7070");
export const password = required("NARROWS_PASSWORD", "the password of the user admin");
const logFile = required(
  "NARROWS_LOG_FILE",
  "a file that a running agent follows and forwards to the collector",
);

/** Writes one line to the file that the agent follows. */
export function appendLine(text: string): void {
  appendFileSync(logFile, `${new Date().toISOString()} ERROR ${text}\n`);
}

/** Asks Prometheus' API as the admin. */
export async function promql(query: string, timeS?: number): Promise<PromSeries[]> {
  const authorization = `Basic ${Buffer.from(`admin:${password}`).toString("base64")}`;
  const at = timeS === undefined ? "" : `&time=${timeS}`;
  const url = `${collectorUrl}/api/v1/query?query=${encodeURIComponent(query)}${at}`;
  const response = await fetch(url, { headers: { authorization } });
  if (!response.ok) throw new Error(`${query} answered ${response.status}: ${await response.text()}`);
  return ((await response.json()) as { data: { result: PromSeries[] } }).data.result;
}

export interface PromSeries {
  metric: Record<string, string>;
  value?: [number, string];
  values?: [number, string][];
}

/** Asks the API as the admin; for what the tests must know beside what the page shows. */
export async function api(path: string): Promise<unknown> {
  const authorization = `Basic ${Buffer.from(`admin:${password}`).toString("base64")}`;
  const response = await fetch(`${collectorUrl}/api/v1/narrows${path}`, { headers: { authorization } });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return response.json();
}

/** Where programs send OTLP over HTTP: the agent beside the collector when it is named, else the collector. */
export const otlpUrl = process.env.OTLP_HTTP ? `http://${process.env.OTLP_HTTP}` : collectorUrl;
