import { useComputedColorScheme } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { type KeyboardEvent, type PointerEvent, useEffect, useRef } from "react";
import { usePaint } from "../../../components/chart/usePaint";
import { formatNanos } from "../../../lib/time/nanosText";
import { clamped, moved, type Window, wholeWindow } from "../../../lib/trace/window";
import styles from "./Minimap.module.css";
import type { OpenTrace } from "./useTrace";

interface MinimapProps {
  trace: OpenTrace;
  window: Window;
  onWindow: (window: Window) => void;
}

type Grip = "from" | "to" | "both" | "draw";

const heightPx = 46;
const padPx = 5;

/** The whole trace in small: its window is moved, and made larger or smaller by its handles. */
export function Minimap({ trace, window, onWindow }: MinimapProps) {
  const { view } = trace;
  const whole = wholeWindow(view.durationNs);
  const { ref: box, width } = useElementSize<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const paintNow = usePaint(canvas);
  const scheme = useComputedColorScheme();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the scheme changes the colours
  useEffect(() => {
    const paint = paintNow();
    const ctx = canvas.current?.getContext("2d");
    if (!canvas.current || !ctx || !paint || width === 0) return;
    const ratio = globalThis.devicePixelRatio || 1;
    canvas.current.width = Math.round(width * ratio);
    canvas.current.height = Math.round(heightPx * ratio);
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    const { count, startNs, durationNs, service } = view.spans;
    const room = heightPx - 2 * padPx;
    const step = Math.min(2.4, room / Math.max(1, count));
    for (let row = 0; row < count; row += 1) {
      const onPath = (trace.tree.pathNs[row] ?? 0) > 0;
      ctx.fillStyle = paint.series(trace.colours[service[row] ?? 0] ?? 9, onPath ? 0.95 : 0.55);
      const x = ((startNs[row] ?? 0) / whole.toNs) * width;
      const w = Math.max(1, ((durationNs[row] ?? 0) / whole.toNs) * width);
      ctx.fillRect(x, padPx + row * step, w, Math.max(0.6, Math.min(1.5, step)));
    }
  }, [trace, width, scheme]);

  const held = useRef<{ grip: Grip; x: number; window: Window } | null>(null);
  const perPx = whole.toNs / Math.max(1, width);
  const grab = (grip: Grip) => (event: PointerEvent<HTMLElement>) => {
    if (event.button !== 0) return;
    event.stopPropagation();
    event.currentTarget.setPointerCapture(event.pointerId);
    held.current = { grip, x: event.clientX, window };
  };
  const drag = (event: PointerEvent<HTMLElement>) => {
    const from = held.current;
    if (!from) return;
    const by = (event.clientX - from.x) * perPx;
    if (from.grip === "both") onWindow(moved(from.window, by, view.durationNs));
    else if (from.grip === "from")
      onWindow(
        clamped(
          {
            ...from.window,
            fromNs: Math.min(from.window.toNs - perPx * 8, Math.max(0, from.window.fromNs + by)),
          },
          view.durationNs,
        ),
      );
    else if (from.grip === "to")
      onWindow(
        clamped(
          {
            ...from.window,
            toNs: Math.max(from.window.fromNs + perPx * 8, Math.min(whole.toNs, from.window.toNs + by)),
          },
          view.durationNs,
        ),
      );
    else {
      const left = event.currentTarget.getBoundingClientRect().left;
      const ends = [from.x, event.clientX].map((x) => (x - left) * perPx).sort((a, b) => a - b);
      if (Math.abs(event.clientX - from.x) > 4)
        onWindow(clamped({ fromNs: ends[0] ?? 0, toNs: ends[1] ?? 0 }, view.durationNs));
    }
  };
  const release = () => {
    held.current = null;
  };
  const keys = (grip: "from" | "to") => (event: KeyboardEvent) => {
    const step = (window.toNs - window.fromNs) / 20;
    const by = event.key === "ArrowLeft" ? -step : event.key === "ArrowRight" ? step : 0;
    if (by === 0) return;
    event.preventDefault();
    event.stopPropagation();
    const next =
      grip === "from"
        ? { ...window, fromNs: Math.min(window.toNs - 100, Math.max(0, window.fromNs + by)) }
        : { ...window, toNs: Math.max(window.fromNs + 100, Math.min(whole.toNs, window.toNs + by)) };
    onWindow(clamped(next, view.durationNs));
  };
  const left = (window.fromNs / whole.toNs) * 100;
  const right = 100 - (window.toNs / whole.toNs) * 100;
  const handle = (grip: "from" | "to", name: string, at: number) => (
    <span
      className={styles.handle}
      data-grip={grip}
      role="slider"
      tabIndex={0}
      aria-label={name}
      aria-valuemin={0}
      aria-valuemax={whole.toNs}
      aria-valuenow={at}
      aria-valuetext={formatNanos(at)}
      onPointerDown={grab(grip)}
      onPointerMove={drag}
      onPointerUp={release}
      onKeyDown={keys(grip)}
    />
  );
  const zoomedIn = left > 0.001 || right > 0.001;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: pointer only; the handles do the same by keyboard
    <div
      ref={box}
      className={styles.box}
      style={{ height: heightPx }}
      onPointerDown={grab("draw")}
      onPointerMove={drag}
      onPointerUp={release}
      onDoubleClick={() => onWindow(whole)}
    >
      <canvas ref={canvas} className={styles.canvas} />
      <span className={styles.shade} style={{ left: 0, width: `${left}%` }} />
      <span className={styles.shade} style={{ right: 0, width: `${right}%` }} />
      <div
        className={styles.window}
        data-moves={zoomedIn}
        style={{ left: `${left}%`, right: `${right}%` }}
        {...(zoomedIn && { onPointerDown: grab("both"), onPointerMove: drag, onPointerUp: release })}
      >
        {handle("from", "Start of the window", window.fromNs)}
        {handle("to", "End of the window", window.toNs)}
      </div>
    </div>
  );
}
