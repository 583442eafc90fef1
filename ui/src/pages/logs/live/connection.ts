// One live tail's WebSocket: opens, opens again after a loss, and hands on what arrives.
import type { ApiError } from "../../../api/http";
import { type LiveFrame, type LiveRequest, liveAddress, parseLiveFrame, whyRefused } from "../../../api/live";
import type { LogRecord } from "../../../api/logs";
import { backoffMs } from "./buffer";

export type LiveStatus =
  | { kind: "connecting" }
  | { kind: "live" }
  /** The connection was lost or refused and is opened again by itself; `reason` when the collector gave one. */
  | { kind: "waiting"; reason: ApiError | null }
  /** The collector will not answer this query; a new one is needed. */
  | { kind: "refused"; error: Error };

export interface LiveListener {
  onStatus: (status: LiveStatus) => void;
  /** `missing` counts what the collector left out. */
  onRecords: (records: LogRecord[], missing: number) => void;
  /** The rows so far answer another query. */
  onQuery: () => void;
  onSessionEnded: () => void;
}

/** The collector speaks every 5 s; after three times silence the connection is taken for dead. */
const silenceMs = 16_000;

export class LiveConnection {
  private socket: WebSocket | null = null;
  private opened = false;
  private attempt = 0;
  private timer = 0;
  private silence = 0;
  private closed = false;
  private paused = false;
  /** Of the last frame; a new connection goes on behind it. */
  private position: string | null = null;
  /** A new query was sent: records answer the old one until the collector greets anew. */
  private stale = false;

  constructor(
    private query: string,
    private readonly listener: LiveListener,
  ) {
    this.open();
  }

  setQuery(query: string): void {
    if (query === this.query) return;
    this.query = query;
    this.listener.onQuery();
    // What was missed of the old query is of no use for the new one.
    this.position = null;
    if (!this.opened) this.retry();
    else {
      this.stale = true;
      this.send({ type: "query", query });
    }
  }

  setPaused(paused: boolean): void {
    if (paused === this.paused) return;
    this.paused = paused;
    this.send({ type: paused ? "pause" : "resume" });
  }

  /** Tries at once. */
  retry(): void {
    this.drop();
    this.open();
  }

  close(): void {
    this.closed = true;
    this.drop();
  }

  private open(): void {
    this.listener.onStatus({ kind: "connecting" });
    const socket = new WebSocket(liveAddress(this.query, this.position));
    this.socket = socket;
    this.stale = false;
    socket.onopen = () => {
      this.opened = true;
      this.attempt = 0;
      this.listener.onStatus({ kind: "live" });
      if (this.paused) this.send({ type: "pause" });
      this.expectSound();
    };
    socket.onmessage = (event) => {
      this.expectSound();
      this.take(String(event.data));
    };
    socket.onclose = () => this.lost();
  }

  private take(text: string): void {
    let frame: LiveFrame | null;
    try {
      frame = parseLiveFrame(text);
    } catch (error) {
      this.refuse(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    if (frame?.type === "error") {
      if (frame.error.code === "bad_credentials") this.listener.onSessionEnded();
      this.refuse(frame.error);
    } else if (frame) {
      if (frame.type === "hello") this.stale = false;
      if (this.stale) return;
      this.position = frame.position;
      if (frame.type === "records") this.listener.onRecords(frame.records, frame.dropped + frame.unread);
    }
  }

  private refuse(error: Error): void {
    this.drop();
    this.listener.onStatus({ kind: "refused", error });
  }

  private lost(): void {
    const neverOpened = !this.opened;
    this.drop();
    this.wait(null);
    if (neverOpened) void this.askWhy();
  }

  /** A refused WebSocket tells the page nothing; the same address as a plain request does. */
  private async askWhy(): Promise<void> {
    const { query, position } = this;
    const error = await whyRefused(query, position);
    if (this.closed || this.opened || !error || query !== this.query) return;
    if (error.status === 401) this.listener.onSessionEnded();
    else if (error.code === "bad_query") this.refuse(error);
    // The place is no longer known, after a long absence perhaps; the next attempt begins at the present.
    else if (error.code === "bad_parameter") this.position = null;
    else this.listener.onStatus({ kind: "waiting", reason: error });
  }

  private wait(reason: ApiError | null): void {
    if (this.closed) return;
    this.listener.onStatus({ kind: "waiting", reason });
    this.timer = window.setTimeout(() => this.open(), backoffMs(this.attempt, Math.random()));
    this.attempt += 1;
  }

  private expectSound(): void {
    window.clearTimeout(this.silence);
    this.silence = window.setTimeout(() => this.lost(), silenceMs);
  }

  private send(request: LiveRequest): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(request));
  }

  private drop(): void {
    window.clearTimeout(this.timer);
    window.clearTimeout(this.silence);
    const { socket } = this;
    this.socket = null;
    this.opened = false;
    if (!socket) return;
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }
}
