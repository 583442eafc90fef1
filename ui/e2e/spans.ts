// Traces of a small shop of this run alone: three services, one after the other, and a database behind the last.
import { randomBytes, randomInt } from "node:crypto";
import { otlpUrl } from "./environment";

export interface Shop {
  front: string;
  checkout: string;
  catalog: string;
  database: string;
}

const kinds = { server: 2, client: 3 } as const;
/** One in so many payments fails. */
const failsEach = 8;

interface SpanOf {
  service: string;
  name: string;
  kind: keyof typeof kinds;
  startMs: number;
  lengthMs: number;
  parent: string | null;
  id: string;
  failed?: boolean;
  attributes?: Record<string, string>;
}

/** Names that no other run has. */
export function newShop(): Shop {
  const pick = (letters: string) => letters[randomInt(letters.length)];
  const word = Array.from({ length: 3 }, () => `${pick("bdgklmnprstvz")}${pick("aeiou")}`).join("");
  return {
    front: `${word}front`,
    checkout: `${word}checkout`,
    catalog: `${word}catalog`,
    database: `${word}db`,
  };
}

/** So many requests, the last of them ended a moment ago. Returns the ids of the traces. */
export async function sendTraces(shop: Shop, count: number, spacingMs: number): Promise<string[]> {
  const nowMs = Date.now();
  const ids: string[] = [];
  for (let at = 0; at < count; at += 1) {
    const traceId = randomBytes(16).toString("hex");
    ids.push(traceId);
    const startMs = nowMs - 400 - (count - 1 - at) * spacingMs;
    await post(traceId, spansOf(shop, startMs, at));
  }
  return ids;
}

function spansOf({ front, checkout, catalog, database }: Shop, startMs: number, at: number): SpanOf[] {
  const id = () => randomBytes(8).toString("hex");
  const [root, out, order, ask, products, query] = [id(), id(), id(), id(), id(), id()];
  const failed = at % failsEach === 3;
  const slow = 20 + ((at * 37) % 120);
  const step = (ms: number) => startMs + ms;
  return [
    {
      service: front,
      name: "GET /basket",
      kind: "server",
      startMs,
      lengthMs: 60 + slow,
      parent: null,
      id: root,
    },
    {
      service: front,
      name: "POST",
      kind: "client",
      startMs: step(5),
      lengthMs: 50 + slow,
      parent: root,
      id: out,
      failed,
    },
    {
      service: checkout,
      name: "POST /orders",
      kind: "server",
      startMs: step(8),
      lengthMs: 44 + slow,
      parent: out,
      id: order,
      failed,
    },
    {
      service: checkout,
      name: "GET",
      kind: "client",
      startMs: step(12),
      lengthMs: 30 + slow,
      parent: order,
      id: ask,
    },
    {
      service: catalog,
      name: "GET /products/{sku}",
      kind: "server",
      startMs: step(15),
      lengthMs: 24 + slow,
      parent: ask,
      id: products,
    },
    {
      service: catalog,
      name: "SELECT products",
      kind: "client",
      startMs: step(18),
      lengthMs: 16 + slow,
      parent: products,
      id: query,
      attributes: { "db.system.name": "postgresql", "peer.service": database },
    },
  ];
}

async function post(traceId: string, spans: SpanOf[]): Promise<void> {
  const resourceSpans = spans.map((span) => ({
    resource: { attributes: keyValues({ "service.name": span.service, "host.name": "e2e-host" }) },
    scopeSpans: [{ scope: { name: "e2e" }, spans: [otlpSpan(traceId, span)] }],
  }));
  const token = process.env.NARROWS_TOKEN;
  const response = await fetch(`${otlpUrl}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ resourceSpans }),
  });
  if (!response.ok) throw new Error(`/v1/traces answered ${response.status}: ${await response.text()}`);
}

function otlpSpan(traceId: string, span: SpanOf): object {
  return {
    traceId,
    spanId: span.id,
    ...(span.parent && { parentSpanId: span.parent }),
    name: span.name,
    kind: kinds[span.kind],
    startTimeUnixNano: `${span.startMs}000000`,
    endTimeUnixNano: `${span.startMs + span.lengthMs}000000`,
    attributes: keyValues(span.attributes ?? {}),
    status: span.failed ? { code: 2, message: "payment refused" } : {},
  };
}

function keyValues(values: Record<string, string>): object[] {
  return Object.entries(values).map(([key, value]) => ({ key, value: { stringValue: value } }));
}
