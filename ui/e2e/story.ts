// Fifty minutes of a shop's ordinary noise, and in the last six of them an error that was never there before.
import { randomInt } from "node:crypto";
import type { LogRecord } from "../src/api/logs";
import { sendRecords } from "./otlp";

type Line = Pick<LogRecord, "severity" | "severity_number" | "service" | "body" | "attributes">;

export interface Story {
  /** The bank that refuses payments: a word of this run alone, which is also every record's service.namespace. */
  bank: string;
  /** The namespace's records. */
  query: string;
  count: number;
  refusals: { count: number; byProbe: number; firstMs: number };
}

const noiseCount = 3000;
const noiseMs = 50 * 60_000;
const refusalCount = 160;
const probeShare = 4;
const refusalsMs = 6 * 60_000;

/** Sends it, up to now. */
export async function sendStory(): Promise<Story> {
  const nowMs = Date.now();
  const bank = newName();
  const firstMs = nowMs - refusalsMs;
  const noise = Array.from({ length: noiseCount }, (_, at) =>
    record(nowMs - noiseMs + Math.floor((at / noiseCount) * noiseMs), at, ordinary(at)),
  );
  const refusals = Array.from({ length: refusalCount }, (_, at) =>
    record(firstMs + Math.floor((at / refusalCount) * refusalsMs), at, refusal(bank, at)),
  );
  await sendRecords({ "service.namespace": bank }, [...noise, ...refusals]);
  return {
    bank,
    query: `service.namespace:${bank}`,
    count: noiseCount + refusalCount,
    refusals: { count: refusalCount, byProbe: refusalCount / probeShare, firstMs },
  };
}

/** What goes on after the story: records of this moment. */
export async function sendMore(bank: string, count: number): Promise<void> {
  const nowMs = Date.now();
  const records = Array.from({ length: count }, (_, at) => record(nowMs - count + at, at, ordinary(at)));
  await sendRecords({ "service.namespace": bank }, records);
}

/** Letters only, because a word with a digit is a value to the patterns; and speakable, for the pictures. */
function newName(): string {
  const pick = (letters: string) => letters[randomInt(letters.length)];
  return Array.from({ length: 4 }, () => `${pick("bdgklmnprstvz")}${pick("aeiou")}`).join("");
}

/** Every kind of line is there from the first minute on, so that none of them is new later. */
function ordinary(at: number): Line {
  const took = 12 + ((at * 37) % 80);
  const info = { severity: "INFO", severity_number: 9 };
  if (at % 50 === 7) {
    const body = `connection to 10.0.0.${1 + (at % 9)}:5432 reset, retry ${1 + (at % 3)} of 5`;
    const attributes = { "error.type": "ConnectionReset", "db.system": "postgresql" };
    return { severity: "ERROR", severity_number: 17, service: "catalog", body, attributes };
  }
  if (at % 20 === 3) {
    const body = `slow query ${took * 9} ms: SELECT id, name, price FROM products WHERE sku = $1`;
    const attributes = { "db.system": "postgresql", duration_ms: took * 9 };
    return { severity: "WARN", severity_number: 13, service: "catalog", body, attributes };
  }
  if (at % 4 === 0) {
    const body = `order ${88_000 + at} placed, ${1 + (at % 12)} items, total ${(20 + (at % 300)).toFixed(2)} EUR`;
    const attributes = { "http.route": "/orders", "http.status_code": 201, duration_ms: took };
    return { ...info, service: "checkout", body, attributes };
  }
  if (at % 4 === 1) {
    const body = `cart ${5000 + (at % 700)} validated, ${1 + (at % 9)} items`;
    const attributes = { duration_ms: took };
    return { severity: "DEBUG", severity_number: 5, service: "cart", body, attributes };
  }
  const body = `GET /products 200 in ${took} ms, ${1 + (at % 11)} sku found`;
  const attributes = { "http.route": "/products", "http.status_code": 200, duration_ms: took };
  return { ...info, service: "catalog", body, attributes };
}

/** One in four comes from the probe, which pays with a card that is always refused: noise to whoever looks for customers. */
function refusal(bank: string, at: number): Line {
  const body = `payment refused by ${bank}: code ${50 + (at % 4)}, order ${91_000 + at}`;
  const attributes = { "error.type": "PaymentRefused", "http.route": "/pay", "http.status_code": 502 };
  const service = at % probeShare === 2 ? "probe" : "checkout";
  return { severity: "ERROR", severity_number: 17, service, body, attributes };
}

function record(ms: number, at: number, line: Line): LogRecord {
  const host = `app-${1 + (at % 4)}`;
  const timestamp = new Date(ms).toISOString();
  return {
    ...line,
    id: "",
    timestamp,
    observed_timestamp: timestamp,
    host,
    resource: { "service.name": line.service, "host.name": host, "service.version": "8121" },
    scope: { name: `${line.service}.http`, version: "1.4.0", attributes: {} },
    trace_id: (at + 1).toString(16).padStart(32, "4b"),
    span_id: (at + 1).toString(16).padStart(16, "9c"),
    event_name: null,
    flags: 1,
  };
}
