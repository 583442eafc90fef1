// Sends records to a real collector as OTLP/JSON; the fixture's shop with its hour moved to the hour that ends now.
import type { LogRecord } from "../src/api/logs";
import { isObject, type Json } from "../src/lib/json";
import { nanosOf } from "../src/lib/time/nanos";
import { fixtureNowMs, makeRecords } from "../tests/fixture/records";
import { collectorUrl } from "./environment";

const batchSize = 500;

type Marks = { [name: string]: string };

/** The attributes `marks` go to every record's resource, so that a test finds its own records and no others. */
export async function sendShop(marks: Marks, count: number): Promise<void> {
  await sendRecords(marks, makeRecords(count), sinceFixtureNanos());
}

/** The shop with an hour's ups and downs, and more to say from when its catalog becomes slow. Returns how many. */
export async function sendBusyShop(marks: Marks): Promise<number> {
  const busy = makeRecords(16_000).filter((record, index) => {
    const minute = (Date.parse(record.timestamp) - fixtureNowMs) / 60_000 + 60;
    const share = minute < 46 ? 0.5 + 0.1 * Math.sin(minute / 5) : 0.75 + 0.02 * (minute - 46);
    return (Math.imul(index, 0x9e3779b1) >>> 0) / 2 ** 32 < share;
  });
  await sendRecords(marks, busy, sinceFixtureNanos());
  return busy.length;
}

function sinceFixtureNanos(): bigint {
  return BigInt(Date.now() - fixtureNowMs) * 1_000_000n;
}

/** Each record at its own time, moved by `shiftNanos`. */
export async function sendRecords(marks: Marks, records: LogRecord[], shiftNanos = 0n): Promise<void> {
  for (let from = 0; from < records.length; from += batchSize) {
    await post(records.slice(from, from + batchSize), marks, shiftNanos);
  }
}

async function post(records: LogRecord[], marks: Marks, shiftNanos: bigint): Promise<void> {
  const body = { resourceLogs: records.map((record) => resourceLogs(record, marks, shiftNanos)) };
  const token = process.env.NARROWS_TOKEN;
  const response = await fetch(`${collectorUrl}/v1/logs`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`/v1/logs answered ${response.status}: ${await response.text()}`);
}

function resourceLogs(record: LogRecord, marks: Marks, shiftNanos: bigint): object {
  const nanos = (nanosOf(record.timestamp) ?? 0n) + shiftNanos;
  const logRecord = {
    timeUnixNano: String(nanos),
    observedTimeUnixNano: String(nanos + 40_000_000n),
    severityNumber: record.severity_number,
    severityText: record.severity,
    body: anyValue(record.body),
    attributes: keyValues(record.attributes),
    traceId: record.trace_id,
    spanId: record.span_id,
    flags: record.flags,
  };
  const scope = { name: record.scope?.name, version: record.scope?.version };
  return {
    resource: { attributes: keyValues({ ...record.resource, ...marks }) },
    scopeLogs: [{ scope, logRecords: [logRecord] }],
  };
}

export function keyValues(object: { [key: string]: Json }): object[] {
  return Object.entries(object).map(([key, value]) => ({ key, value: anyValue(value) }));
}

function anyValue(value: Json): object {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number") {
    return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  }
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } };
  return isObject(value) ? { kvlistValue: { values: keyValues(value) } } : {};
}
