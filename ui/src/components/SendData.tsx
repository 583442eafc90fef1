import { type ReactNode, useState } from "react";
import type { Status } from "../api/status";
import { CodeBlock } from "./CodeBlock";
import styles from "./SendData.module.css";

type Otlp = Status["otlp"];

/** Three ways to send logs, with this collector's own addresses. */
export function SendData({ otlp }: { otlp: Otlp }) {
  const [direct, setDirect] = useState(false);
  return (
    <>
      <Step number={1} title="Start an agent on a host">
        <CodeBlock label="Start an agent" code={agentCommand(otlp)} />
      </Step>
      <Step
        number={2}
        title="Or point an OTLP SDK at it"
        tools={[false, true].map((choice) => (
          <button
            key={String(choice)}
            type="button"
            className="button button-quiet button-small"
            aria-pressed={direct === choice}
            onClick={() => setDirect(choice)}
          >
            {choice ? "This collector" : "The agent"}
          </button>
        ))}
      >
        <CodeBlock label="OTLP settings" code={direct ? collectorVariables(otlp) : agentVariables} />
      </Step>
      <Step number={3} title="Or send one record now">
        <CodeBlock label="Send one record" code={curlCommand(otlp)} />
      </Step>
    </>
  );
}

interface StepProps {
  number: number;
  title: string;
  note?: string;
  tools?: ReactNode;
  children: ReactNode;
}

export function Step({ number, title, note, tools, children }: StepProps) {
  return (
    <section className={`panel ${styles.step}`} aria-label={title}>
      <div className={styles.head}>
        <span className={styles.number}>{number}</span>
        <h2>{title}</h2>
        <span className="grow" />
        {note && <span className="text3 small tabular">{note}</span>}
        {tools && <div className={styles.tools}>{tools}</div>}
      </div>
      {children}
    </section>
  );
}

function agentCommand(otlp: Otlp): string {
  const token = otlp.token_required ? " \\\n  --token-file /etc/narrows/token" : "";
  return `# follows the files; keeps records on disk while the collector is away
narrows-agent --collector ${otlp.grpc} --file '/var/log/app/*.log'${token}`;
}

const agentVariables = `# the agent listens on this host; it forwards to the collector
export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317
export OTEL_EXPORTER_OTLP_PROTOCOL=grpc
export OTEL_SERVICE_NAME=checkout`;

function collectorVariables(otlp: Otlp): string {
  const token = otlp.token_required
    ? '\nexport OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20$(cat /etc/narrows/token)"'
    : "";
  return `# no agent between; gRPC is at ${otlp.grpc}
export OTEL_EXPORTER_OTLP_ENDPOINT=${otlp.http}
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
export OTEL_SERVICE_NAME=checkout${token}`;
}

function curlCommand(otlp: Otlp): string {
  const token = otlp.token_required ? ` \\\n  -H "Authorization: Bearer $(cat /etc/narrows/token)"` : "";
  return `curl ${otlp.http}/v1/logs -H 'Content-Type: application/json'${token} -d '{"resourceLogs":[{
  "resource":{"attributes":[{"key":"service.name","value":{"stringValue":"checkout"}}]},
  "scopeLogs":[{"logRecords":[{
    "timeUnixNano":"'$(date +%s%N)'","severityNumber":9,"severityText":"INFO",
    "body":{"stringValue":"order 88213 placed, 11 items"},
    "attributes":[{"key":"http.route","value":{"stringValue":"/orders"}}]}]}]}]}'`;
}
