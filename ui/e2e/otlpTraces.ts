// Sends traces to a real collector as OTLP/JSON: the fixture's checkout, at the times and with the ids of a test's own.
import { randomBytes } from "node:crypto";
import type { FixtureSpan } from "../tests/fixture/traces";
import { collectorUrl } from "./environment";
import { keyValues } from "./otlp";

export interface SentTrace {
  id: string;
  startMs: number;
  spans: FixtureSpan[];
}

/** With ids that nobody has used, so that runs do not meet. */
export function newTrace(startMs: number, spans: FixtureSpan[]): SentTrace {
  const id = randomBytes(16).toString("hex");
  return { id, startMs, spans: spans.map((span) => ({ ...span, id: randomBytes(8).toString("hex") })) };
}

/** The attributes `marks` go to every span's resource; `hostOf` says on which host a service runs. */
export async function sendTraces(
  traces: SentTrace[],
  marks: { [name: string]: string },
  hostOf: (service: string) => string,
): Promise<void> {
  const token = process.env.NARROWS_TOKEN;
  const response = await fetch(`${collectorUrl}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ resourceSpans: traces.flatMap((trace) => resourceSpans(trace, marks, hostOf)) }),
  });
  if (!response.ok) throw new Error(`/v1/traces answered ${response.status}: ${await response.text()}`);
}

const kinds = ["unspecified", "internal", "server", "client", "producer", "consumer"];
const statuses = ["unset", "ok", "error"];

/** A resource per service, as their programs would send them. */
function resourceSpans(
  trace: SentTrace,
  marks: { [name: string]: string },
  hostOf: (service: string) => string,
): object[] {
  const services = [...new Set(trace.spans.map(({ service }) => service))];
  return services.map((service) => ({
    resource: {
      attributes: keyValues({ "service.name": service, "host.name": hostOf(service), ...marks }),
    },
    scopeSpans: [
      {
        scope: { name: `${service}.tracer`, version: "1.4.0" },
        spans: trace.spans.filter((span) => span.service === service).map((span) => otlpSpan(trace, span)),
      },
    ],
  }));
}

function otlpSpan({ id, startMs, spans }: SentTrace, span: FixtureSpan): object {
  const nanos = (offsetNs: number) => String(BigInt(startMs) * 1_000_000n + BigInt(Math.round(offsetNs)));
  const parent = spans[span.parent]?.id;
  return {
    traceId: id,
    spanId: span.id,
    ...(parent !== undefined && { parentSpanId: parent }),
    name: span.name,
    kind: kinds.indexOf(span.kind),
    startTimeUnixNano: nanos(span.startNs),
    endTimeUnixNano: nanos(span.endNs),
    attributes: keyValues(span.attributes),
    status: { code: statuses.indexOf(span.status), message: span.message },
    events: span.events.map(({ atNs, name, attributes }) => ({
      timeUnixNano: nanos(atNs),
      name,
      attributes: keyValues(attributes),
    })),
    links: span.links.map((link) => ({
      traceId: link.trace_id,
      spanId: link.span_id,
      attributes: keyValues(link.attributes),
    })),
  };
}
