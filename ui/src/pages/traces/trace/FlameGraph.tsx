import { useComputedColorScheme } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { type KeyboardEvent, type MouseEvent, useEffect, useMemo, useRef, useState } from "react";
import { usePaint } from "../../../components/chart/usePaint";
import { cssColour } from "../../../lib/chart/colours";
import { formatExact, plural } from "../../../lib/number";
import { formatNanos, formatPercent } from "../../../lib/time/nanosText";
import { type Frame, framesOf, type Placed, placeFrames } from "../../../lib/trace/groups";
import { drawFlame, flameRowPx } from "./drawFlame";
import styles from "./FlameGraph.module.css";
import type { OpenTrace } from "./useTrace";

interface FlameGraphProps {
  trace: OpenTrace;
  /** A row of the frame that has the whole width; -1: all. */
  zoomRow: number;
  selectedRow: number;
  onZoom: (row: number) => void;
  onSelect: (row: number) => void;
}

const leastPx = 1;

/** Calls by their way, callers on top, as wide as the work that they and what they called did. */
export function FlameGraph({ trace, zoomRow, selectedRow, onZoom, onSelect }: FlameGraphProps) {
  const { view, tree, colours } = trace;
  const { frames, frameOf } = useMemo(() => framesOf(view, tree), [view, tree]);
  const zoom = zoomRow < 0 ? 0 : (frameOf[zoomRow] ?? 0);
  const { ref: box, width } = useElementSize<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const placed = useMemo(
    () => placeFrames(frames, zoom, leastPx / Math.max(1, width)),
    [frames, zoom, width],
  );
  const callers = placed.reduce((most, { level }) => Math.max(most, -level), 0);
  const levels = placed.reduce((most, { level }) => Math.max(most, level + callers + 1), 1);
  const height = levels * flameRowPx;
  const [pointed, setPointed] = useState<{ frame: number; x: number; y: number } | null>(null);
  const [active, setActive] = useState(-1);
  const paintNow = usePaint(canvas);
  const scheme = useComputedColorScheme();
  const selected = selectedRow < 0 ? -1 : (frameOf[selectedRow] ?? -1);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the scheme changes the colours
  useEffect(() => {
    const paint = paintNow();
    const ctx = canvas.current?.getContext("2d");
    if (!canvas.current || !ctx || !paint || width === 0) return;
    const ratio = globalThis.devicePixelRatio || 1;
    canvas.current.width = Math.round(width * ratio);
    canvas.current.height = Math.round(height * ratio);
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    const slot = (frame: Frame) => colours[view.services.indexOf(frame.service)] ?? 9;
    const marks = { pointed: pointed?.frame ?? -1, active, selected };
    drawFlame(ctx, { frames, placed, callers, slot, marks, width, height }, paint);
  }, [frames, placed, callers, width, height, pointed?.frame, active, selected, colours, scheme]);

  const frameAt = (event: { clientX: number; clientY: number }): Placed | undefined => {
    const frame = canvas.current?.getBoundingClientRect();
    if (!frame) return undefined;
    const level = Math.floor((event.clientY - frame.top) / flameRowPx) - callers;
    const share = (event.clientX - frame.left) / Math.max(1, width);
    return placed.find((one) => one.level === level && one.from <= share && share < one.to);
  };
  const choose = (frame: number) => {
    setActive(frame);
    const row = frames[frame]?.longestRow ?? 0;
    onZoom(frame === zoom || isOnlyRoot(frames, frame) ? -1 : row);
  };
  const onClick = (event: MouseEvent) => {
    const at = frameAt(event);
    if (!at) return;
    if (event.altKey) onSelect(frames[at.frame]?.longestRow ?? 0);
    else choose(at.frame);
  };
  const onKey = (event: KeyboardEvent) => {
    const here = frames[active];
    const siblings = frames[here?.parent ?? 0]?.children ?? [];
    const place = siblings.indexOf(active);
    const first = frames[0]?.children[0] ?? -1;
    const steps: Record<string, () => void> = {
      ArrowDown: () => setActive(here ? (here.children[0] ?? active) : first),
      ArrowUp: () => here && here.parent > 0 && setActive(here.parent),
      ArrowRight: () => setActive(here ? (siblings[place + 1] ?? active) : first),
      ArrowLeft: () => here && setActive(siblings[place - 1] ?? active),
      Enter: () => active > 0 && choose(active),
      " ": () => active > 0 && onSelect(frames[active]?.longestRow ?? 0),
      Backspace: () => onZoom(-1),
    };
    const step = steps[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    step();
  };
  const whole = frames[0]?.totalNs ?? 0;
  const told = frames[active];
  const tip = pointed && frames[pointed.frame];
  return (
    <div className={styles.area}>
      <p className={styles.note}>
        As wide as the work that was done: {formatNanos(whole)} of self time in{" "}
        {plural(view.spans.count, "span")}, what ran at once added up. A click zooms
        {zoom > 0 && (
          <>
            ;{" "}
            <button type="button" className="link" onClick={() => onZoom(-1)}>
              show all
            </button>
          </>
        )}
        .
      </p>
      <div className={styles.scroller}>
        <div
          ref={box}
          className={styles.box}
          role="application"
          aria-label={`Flame graph, ${plural(frames.length - 1, "way of calls", "ways of calls")}. Arrows move, Enter zooms, Space opens the longest span, Backspace shows all.`}
          tabIndex={0}
          onKeyDown={onKey}
        >
          <canvas
            ref={canvas}
            className={styles.canvas}
            style={{ height }}
            onClick={onClick}
            onPointerMove={(event) => {
              const at = event.pointerType === "mouse" ? frameAt(event) : undefined;
              const area = event.currentTarget.getBoundingClientRect();
              setPointed(
                at ? { frame: at.frame, x: event.clientX - area.left, y: event.clientY - area.top } : null,
              );
            }}
            onPointerLeave={() => setPointed(null)}
          />
          {pointed && tip && (
            <div
              className={`${styles.tooltip} floating`}
              style={{ left: Math.min(pointed.x + 12, Math.max(0, width - 270)), top: pointed.y + 16 }}
              aria-hidden="true"
            >
              <FrameFacts
                frame={tip}
                whole={whole}
                colour={colours[view.services.indexOf(tip.service)] ?? 9}
              />
            </div>
          )}
        </div>
      </div>
      <p className="visually-hidden" role="status">
        {told &&
          `${told.name}, ${told.service}, ${plural(told.count, "span")}, ${formatNanos(told.totalNs)}, self ${formatNanos(told.selfNs)}`}
      </p>
    </div>
  );
}

function isOnlyRoot(frames: Frame[], frame: number): boolean {
  return frames[0]?.children.length === 1 && frames[0].children[0] === frame;
}

function FrameFacts({ frame, whole, colour }: { frame: Frame; whole: number; colour: number | string }) {
  const share = (ns: number) => (whole > 0 ? `, ${formatPercent(ns / whole)}` : "");
  const facts: [string, string][] = [
    ["Spans", formatExact(frame.count)],
    ["With what it called", `${formatNanos(frame.totalNs)}${share(frame.totalNs)}`],
    ["Self", `${formatNanos(frame.selfNs)}${share(frame.selfNs)}`],
    ["On the path", frame.pathNs > 0 ? formatNanos(frame.pathNs) : "–"],
    ...(frame.errors > 0 ? [["Errors", formatExact(frame.errors)] as [string, string]] : []),
  ];
  return (
    <>
      <div className={styles.tipTitle}>
        <span className="swatch" style={{ background: cssColour(colour) }} />
        <span className="text1">{frame.name}</span>
        <span>{frame.service}</span>
      </div>
      <dl className={`${styles.facts} tabular`}>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
