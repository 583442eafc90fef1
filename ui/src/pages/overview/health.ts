// What is wrong with the collector, and how fresh what it has is. Pure.
import type { Status } from "../../api/status";
import { plural } from "../../lib/number";

export interface Health {
  /** Each a sentence without its end; none when all is well. */
  troubles: string[];
  agents: number;
  /** Agents that have not been heard of for a while. */
  silent: number;
  /** How old the newest log is; null without any. */
  newestMs: number | null;
}

/** An agent says something every 15 s or so. */
const silentMs = 120_000;

export function healthOf({ ready, reasons, agents, damaged, logs }: Status, nowMs: number): Health {
  const newest = Date.parse(logs.last_received_at ?? "");
  const troubles = ready ? [] : reasons.length > 0 ? [...reasons] : ["the collector is not ready"];
  if (damaged.length > 0)
    troubles.push(`${plural(damaged.length, "damaged file was", "damaged files were")} set aside`);
  return {
    troubles,
    agents: agents.length,
    silent: agents.filter(({ last_seen }) => nowMs - Date.parse(last_seen) > silentMs).length,
    newestMs: Number.isNaN(newest) ? null : Math.max(0, nowMs - newest),
  };
}
