import { useState } from "react";
import type { Status } from "../api/status";
import { CodeBlock } from "./CodeBlock";
import styles from "./SendData.module.css";

type Otlp = Status["otlp"];

const languages = {
  Java: {
    setup:
      "curl -LO https://github.com/open-telemetry/opentelemetry-java-instrumentation/releases/latest/download/opentelemetry-javaagent.jar",
    run: "java -javaagent:opentelemetry-javaagent.jar -jar app.jar",
  },
  Python: {
    setup:
      "pip install opentelemetry-distro opentelemetry-exporter-otlp && opentelemetry-bootstrap -a install",
    run: "opentelemetry-instrument python app.py",
  },
  Node: {
    setup: "npm install @opentelemetry/api @opentelemetry/auto-instrumentations-node",
    run: "node --require @opentelemetry/auto-instrumentations-node/register app.js",
  },
} as const;

type Language = keyof typeof languages;

/** How a program sends its spans: the settings of every OTLP SDK, and the start of some of them. */
export function SendTraces({ otlp }: { otlp: Otlp }) {
  const [direct, setDirect] = useState(false);
  const [language, setLanguage] = useState<Language>("Java");
  const { setup, run } = languages[language];
  return (
    <>
      <section className={`panel ${styles.step}`} aria-label="Tell the program where to send">
        <div className={styles.head}>
          <span className={styles.number}>1</span>
          <h2>Tell the program where to send</h2>
          <span className="grow" />
          <div className={styles.tools}>
            {[false, true].map((choice) => (
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
          </div>
        </div>
        <CodeBlock label="OTLP settings" code={direct ? ofCollector(otlp) : ofAgent} />
      </section>
      <section className={`panel ${styles.step}`} aria-label="Start it with an SDK">
        <div className={styles.head}>
          <span className={styles.number}>2</span>
          <h2>Start it with an SDK</h2>
          <span className="grow" />
          <div className={styles.tools}>
            {(Object.keys(languages) as Language[]).map((name) => (
              <button
                key={name}
                type="button"
                className="button button-quiet button-small"
                aria-pressed={language === name}
                onClick={() => setLanguage(name)}
              >
                {name}
              </button>
            ))}
          </div>
        </div>
        <CodeBlock label={`Start with ${language}`} code={`${setup}\n${run}`} />
      </section>
    </>
  );
}

const ofAgent = `# the agent on this host takes OTLP and forwards it
export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317
export OTEL_EXPORTER_OTLP_PROTOCOL=grpc
export OTEL_SERVICE_NAME=checkout`;

function ofCollector(otlp: Otlp): string {
  const token = otlp.token_required
    ? '\nexport OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20$(cat /etc/narrows/token)"'
    : "";
  return `# no agent between; gRPC is at ${otlp.grpc}
export OTEL_EXPORTER_OTLP_ENDPOINT=${otlp.http}
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
export OTEL_SERVICE_NAME=checkout${token}`;
}
