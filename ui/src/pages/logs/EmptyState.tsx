import { useEffect, useState } from "react";
import type { Status } from "../../api/status";
import { Icon } from "../../components/Icon";
import { SendData, Step } from "../../components/SendData";
import { plural } from "../../lib/number";
import { formatClock, formatDuration } from "../../lib/time/format";
import { type Zone, zoneLabel } from "../../lib/time/zone";
import styles from "./EmptyState.module.css";

interface EmptyStateProps {
  status: Status;
  zone: Zone;
  onOpen: () => void;
}

/** Before the first record: how to send data, and a list that shows it arrive. */
export function EmptyState({ status, zone, onOpen }: EmptyStateProps) {
  const waitedMs = useWaited();
  const arrived = status.logs.sent > 0;
  return (
    <main className={styles.page}>
      <div className={styles.column}>
        <div>
          <h2 className={styles.title}>Send your first data</h2>
          <p className={styles.lead}>
            One agent per host follows its log files and forwards them here. Programs that speak OTLP can send
            to the agent or straight to this collector.
          </p>
        </div>
        <SendData otlp={status.otlp} />
        <Step
          number={4}
          title="Watch it arrive"
          note={arrived ? "arrived" : `checked every 2\u00a0s, waiting ${formatDuration(waitedMs)}`}
        >
          <ul>
            {status.agents.map((agent) => (
              <Check
                key={agent.id}
                done
                text={`Agent ${agent.id} connected`}
                detail={`seen ${ago(agent.last_seen)}`}
              />
            ))}
            {status.agents.length === 0 && (
              <Check done={false} text="Agent" detail="none yet; OTLP works without one" />
            )}
            <Check done={arrived} text="Logs" detail={logsDetail(status, zone)} />
          </ul>
        </Step>
        <p role="status" className="visually-hidden">
          {arrived ? "The first logs have arrived" : ""}
        </p>
        {arrived && (
          <div>
            <button type="button" className="button button-primary" onClick={onOpen}>
              Open logs
            </button>
          </div>
        )}
      </div>
    </main>
  );
}

function Check({ done, text, detail }: { done: boolean; text: string; detail: string }) {
  return (
    <li className={styles.check} data-done={done}>
      <Icon name={done ? "checkCircle" : "waiting"} />
      <span>{text}</span>
      <span className={styles.detail}>{detail}</span>
    </li>
  );
}

function logsDetail(status: Status, zone: Zone): string {
  const { sent, last_received_at } = status.logs;
  if (sent === 0) return "none yet";
  const ms = Date.parse(last_received_at ?? "");
  const newest = Number.isNaN(ms) ? "" : `, newest ${formatClock(ms, zone)} ${zoneLabel(zone, ms)}`;
  return `${plural(sent, "record")}${newest}`;
}

function ago(instant: string): string {
  return `${formatDuration(Math.max(0, Date.now() - Date.parse(instant)))} ago`;
}

function useWaited(): number {
  const [startMs] = useState(Date.now);
  const [nowMs, setNowMs] = useState(startMs);
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  // Whole seconds: the note should count, not flicker.
  return Math.max(1000, Math.round((nowMs - startMs) / 1000) * 1000);
}
