import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import type { LogRecord } from "../../../api/logs";
import { sessionKey } from "../../../app/session";
import { queryText } from "../../../lib/query/question";
import { append, emptyBuffer, type LiveBuffer, liveCap, release } from "./buffer";
import { LiveConnection, type LiveStatus } from "./connection";

/** Drawn at most so often, however many records arrive. */
const drawEveryMs = 100;

export interface LiveTail {
  status: LiveStatus;
  buffer: LiveBuffer<LogRecord>;
  /** How many records the collector left out, because more matched than it sends. */
  dropped: number;
  /** Rows must not move: a person reads them. */
  hold: (held: boolean) => void;
  /** Shows what waits, although the rows are held. */
  catchUp: () => void;
  clear: () => void;
  retry: () => void;
}

export function useLiveTail(query: string, paused: boolean): LiveTail {
  const client = useQueryClient();
  const [status, setStatus] = useState<LiveStatus>({ kind: "connecting" });
  const [buffer, setBuffer] = useState(() => emptyBuffer<LogRecord>());
  const [dropped, setDropped] = useState(0);
  const held = useRef(false);
  const arrived = useRef<LogRecord[]>([]);
  const lost = useRef(0);
  const connection = useRef<LiveConnection | null>(null);
  const first = useRef(query);
  const clear = useCallback(() => {
    arrived.current = [];
    lost.current = 0;
    setBuffer(emptyBuffer());
    setDropped(0);
  }, []);

  useEffect(() => {
    let frame = 0;
    let drawnAt = 0;
    const draw = (now: number) => {
      if (now - drawnAt < drawEveryMs) {
        frame = requestAnimationFrame(draw);
        return;
      }
      frame = 0;
      drawnAt = now;
      const [batch, gone, isHeld] = [arrived.current, lost.current, held.current];
      arrived.current = [];
      lost.current = 0;
      setBuffer((old) => append(old, batch, isHeld, gone));
    };
    const opened = new LiveConnection(queryText(first.current), {
      onStatus: setStatus,
      onRecords: (records, left) => {
        // A hidden page draws nothing; what it would not keep need not wait either.
        const all = [...arrived.current, ...records];
        arrived.current = all.slice(-2 * liveCap);
        lost.current += all.length - arrived.current.length;
        if (left > 0) setDropped((old) => old + left);
        if (frame === 0) frame = requestAnimationFrame(draw);
      },
      onQuery: clear,
      onSessionEnded: () => void client.resetQueries({ queryKey: sessionKey }),
    });
    connection.current = opened;
    return () => {
      cancelAnimationFrame(frame);
      opened.close();
    };
  }, [client, clear]);
  useEffect(() => connection.current?.setQuery(queryText(query)), [query]);
  useEffect(() => connection.current?.setPaused(paused), [paused]);

  const hold = useCallback((now: boolean) => {
    held.current = now;
    if (!now) setBuffer(release);
  }, []);
  const catchUp = useCallback(() => setBuffer(release), []);
  const retry = useCallback(() => connection.current?.retry(), []);
  return { status, buffer, dropped, hold, catchUp, clear, retry };
}
