import { get } from "./http";
import { array, boolean, nullable, number, object, string } from "./validate";

export interface Status {
  version: string;
  uptime_s: number;
  ready: boolean;
  reasons: string[];
  otlp: { http: string; grpc: string; token_required: boolean };
  logs: {
    records: number;
    /** Of the records those that were sent; the others the collector wrote itself, about who did what. */
    sent: number;
    last_received_at: string | null;
    bytes_on_disk: number;
    splits: number;
  };
  agents: { id: string; last_seen: string }[];
  damaged: { name: string; reason: string }[];
}

const status = object<Status>({
  version: string,
  uptime_s: number,
  ready: boolean,
  reasons: array(string),
  otlp: object<Status["otlp"]>({ http: string, grpc: string, token_required: boolean }),
  logs: object<Status["logs"]>({
    records: number,
    sent: number,
    last_received_at: nullable(string),
    bytes_on_disk: number,
    splits: number,
  }),
  agents: array(object<Status["agents"][number]>({ id: string, last_seen: string })),
  damaged: array(object<Status["damaged"][number]>({ name: string, reason: string })),
});

export function fetchStatus(signal: AbortSignal): Promise<Status> {
  return get("/status", {}, status, signal);
}
