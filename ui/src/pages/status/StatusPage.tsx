import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ApiError } from "../../api/http";
import { fetchStatus, type Status } from "../../api/status";
import { Icon } from "../../components/Icon";
import { Message } from "../../components/Message";
import { SendData } from "../../components/SendData";
import { formatBytes, formatExact, plural } from "../../lib/number";
import { formatDuration, formatMoment } from "../../lib/time/format";
import { headline, sentence } from "../../lib/words";
import { SettingsFrame } from "../settings/SettingsFrame";
import styles from "./StatusPage.module.css";

/** How this collector is: what it holds, who sends, what is wrong; and how to send more. */
export function StatusPage() {
  const status = useQuery({
    queryKey: ["status"],
    queryFn: ({ signal }) => fetchStatus(signal),
    refetchInterval: 5000,
    staleTime: 0,
  });
  return (
    <SettingsFrame
      title="Status"
      tools={status.data && <span className="text3 small">checked every 5&nbsp;s</span>}
    >
      {status.error && (
        <Message kind="error" title={headline(status.error.message)}>
          {status.error instanceof ApiError && status.error.hint ? sentence(status.error.hint) : null}
        </Message>
      )}
      {status.data && <Collector status={status.data} />}
    </SettingsFrame>
  );
}

function Collector({ status }: { status: Status }) {
  const { logs } = status;
  const lastMs = Date.parse(logs.last_received_at ?? "");
  return (
    <div className={styles.column}>
      {!status.ready && (
        <Problem title="The collector is not ready">
          {status.reasons.map((reason) => (
            <li key={reason}>{sentence(reason)}</li>
          ))}
        </Problem>
      )}
      {status.damaged.length > 0 && (
        <Problem
          title={`${plural(status.damaged.length, "damaged file was", "damaged files were")} set aside: answers are partial`}
        >
          {status.damaged.map((file) => (
            <li key={file.name}>
              <code>{file.name}</code> {file.reason}
            </li>
          ))}
        </Problem>
      )}
      <section className={`panel ${styles.panel}`} aria-label="Logs">
        <h2>Logs</h2>
        <dl className={styles.facts}>
          <Fact name="Records" value={formatExact(logs.records)} />
          <Fact name="On disk" value={formatBytes(logs.bytes_on_disk)} />
          <Fact name="Files" value={formatExact(logs.splits)} />
          <Fact name="Newest arrived, UTC" value={Number.isNaN(lastMs) ? "–" : formatMoment(lastMs, "utc")} />
          <Fact name="Collector" value={status.version} />
          <Fact name="Running for" value={formatDuration(status.uptime_s * 1000)} />
        </dl>
      </section>
      <section className={`panel ${styles.panel}`} aria-label="Agents">
        <h2>Agents</h2>
        {status.agents.length === 0 ? (
          <p>No agent has sent anything yet. OTLP programs can send without one.</p>
        ) : (
          <table className={styles.table}>
            <thead>
              <tr>
                <th scope="col">Agent</th>
                <th scope="col">Last seen, UTC</th>
              </tr>
            </thead>
            <tbody>
              {status.agents.map((agent) => (
                <tr key={agent.id}>
                  <td className="mono">{agent.id}</td>
                  <td>{formatMoment(Date.parse(agent.last_seen), "utc")}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </section>
      <h2 className={styles.heading}>Send data</h2>
      <SendData otlp={status.otlp} />
    </div>
  );
}

function Problem({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={`panel ${styles.panel}`} role="alert">
      <h2 className={styles.problem}>
        <Icon name="alert" />
        {title}
      </h2>
      <ul>{children}</ul>
    </section>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
