import { useComputedColorScheme } from "@mantine/core";
import { useElementSize, useMergedRef } from "@mantine/hooks";
import { type RefObject, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { usePaint } from "../../../../components/chart/usePaint";
import { moved, type Window, zoomed } from "../../../../lib/trace/window";
import type { OpenTrace } from "../useTrace";
import { drawWaterfall, type Scene } from "./draw";
import { axisPx, type Layout, layoutOf, nsAt, rowPx } from "./layout";
import { Mirror } from "./Mirror";
import { SpanTooltip } from "./SpanTooltip";
import type { LinesHandle } from "./useLines";
import { usePointer } from "./usePointer";
import styles from "./Waterfall.module.css";

interface WaterfallProps {
  trace: OpenTrace;
  handle: LinesHandle;
  window: Window;
  found: ReadonlySet<number>;
  selectedRow: number;
  /** Where the keyboard stands. */
  activeLine: number;
  onWindow: (window: Window) => void;
  onActive: (line: number) => void;
  onOpen: (line: number) => void;
  /** Where the bars begin and end, for what stands above them. */
  onLayout: (layout: Layout) => void;
}

const settleMs = 120;

/** Names and bars on one canvas that stays on the screen while the lines scroll under it. */
export function Waterfall(props: WaterfallProps) {
  const { trace, handle, window, found, selectedRow, activeLine, onWindow, onLayout } = props;
  const { view, tree, colours } = trace;
  const { lines, thread, folds, collapsed, unfolded } = handle;
  const scroller = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const { ref: sized, width, height } = useElementSize<HTMLDivElement>();
  const frame = useMergedRef(scroller, sized);
  const scheme = useComputedColorScheme();
  const paintNow = usePaint(canvas);
  const maxDepth = useMemo(() => {
    let deepest = 0;
    for (const row of lines.row) deepest = Math.max(deepest, view.spans.depth[row] ?? 0);
    return deepest;
  }, [view, lines]);
  const layout = useMemo(() => layoutOf(width, height, maxDepth, window), [width, height, maxDepth, window]);
  const scene: Scene = { view, tree, folds, lines, thread, collapsed, unfolded, colours, found, selectedRow };
  const pointer = usePointer({
    element: scroller,
    layout,
    lines,
    handle,
    onZoom: onWindow,
    onWhole: () => onWindow({ fromNs: 0, toNs: Math.max(1, view.durationNs) }),
    onLine: (line) => {
      props.onActive(line);
      props.onOpen(line);
    },
  });

  const latest = useRef({ scene, layout, pointer, activeLine });
  latest.current = { scene, layout, pointer, activeLine };
  const asked = useRef(0);
  const draw = useCallback(() => {
    asked.current = 0;
    const element = canvas.current;
    const paint = paintNow();
    const ctx = element?.getContext("2d");
    if (!element || !ctx || !paint || !scroller.current) return;
    const now = latest.current;
    const ratio = globalThis.devicePixelRatio || 1;
    const [pixelWidth, pixelHeight] = [now.layout.width * ratio, now.layout.height * ratio].map(Math.round);
    if (element.width !== pixelWidth || element.height !== pixelHeight) {
      element.width = pixelWidth ?? 0;
      element.height = pixelHeight ?? 0;
    }
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    const { line, drag } = now.pointer.pointed;
    drawWaterfall(
      ctx,
      now.scene,
      now.layout,
      scroller.current.scrollTop,
      { line, drag, active: now.activeLine },
      paint,
    );
  }, [paintNow]);
  const ask = useCallback(() => {
    if (asked.current === 0) asked.current = requestAnimationFrame(draw);
  }, [draw]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what a drawing depends on
  useEffect(ask, [
    scene.lines,
    thread,
    layout,
    found,
    selectedRow,
    activeLine,
    pointer.pointed,
    scheme,
    colours,
  ]);
  useEffect(() => {
    // The first drawing may come before the font.
    void document.fonts?.ready.then(ask);
    return () => {
      cancelAnimationFrame(asked.current);
      asked.current = 0;
    };
  }, [ask]);
  useEffect(() => onLayout(layout), [layout, onLayout]);
  useWheel(scroller, layout, view.durationNs, onWindow);
  useScrolledTo(scroller, activeLine, lines.count);

  const rest = useSettled(scroller, height, lines.count, ask);
  const pointedLine = pointer.pointed.line;
  return (
    <div className={styles.area}>
      <div
        ref={frame}
        className={styles.scroller}
        role="treegrid"
        aria-label="Spans"
        aria-rowcount={lines.count}
        aria-activedescendant={
          activeLine >= rest.first && activeLine <= rest.last ? `line-${activeLine}` : undefined
        }
        tabIndex={0}
        data-pointed={pointer.cursor}
        {...pointer.handlers}
      >
        <canvas ref={canvas} className={styles.canvas} style={{ height }} />
        <div style={{ height: Math.max(0, axisPx + lines.count * rowPx + rowPx - height) }} />
        <Mirror trace={trace} handle={handle} first={rest.first} last={rest.last} selectedRow={selectedRow} />
      </div>
      {pointedLine >= 0 && pointer.pointed.drag === null && pointer.pointed.overBars && (
        <SpanTooltip
          trace={trace}
          handle={handle}
          line={pointedLine}
          x={pointer.pointed.x}
          y={pointer.pointed.y}
          width={width}
          height={height}
        />
      )}
    </div>
  );
}

/** Which lines are on the screen, once scrolling rests: what assistive technology reads need not change sixty times a second. */
function useSettled(
  scroller: RefObject<HTMLDivElement | null>,
  height: number,
  count: number,
  onScroll: () => void,
): { first: number; last: number } {
  const [top, setTop] = useState(0);
  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    let timer = 0;
    const scrolled = () => {
      onScroll();
      globalThis.clearTimeout(timer);
      timer = globalThis.setTimeout(() => setTop(element.scrollTop), settleMs) as unknown as number;
    };
    element.addEventListener("scroll", scrolled, { passive: true });
    return () => {
      element.removeEventListener("scroll", scrolled);
      globalThis.clearTimeout(timer);
    };
  }, [scroller, onScroll]);
  const first = Math.max(0, Math.floor(top / rowPx));
  return { first, last: Math.min(count - 1, Math.ceil((top + height - axisPx) / rowPx)) };
}

/** Ctrl and the wheel zoom at the pointer; the wheel sideways moves what is zoomed in. */
function useWheel(
  scroller: RefObject<HTMLDivElement | null>,
  layout: Layout,
  durationNs: number,
  onWindow: (window: Window) => void,
): void {
  const latest = useRef({ layout, durationNs, onWindow });
  latest.current = { layout, durationNs, onWindow };
  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const onWheel = (event: WheelEvent) => {
      const now = latest.current;
      const { window } = now.layout;
      const sideways = event.shiftKey ? event.deltaY : event.deltaX;
      if (event.ctrlKey || event.metaKey) {
        event.preventDefault();
        const x = event.clientX - element.getBoundingClientRect().left;
        now.onWindow(zoomed(window, Math.exp(event.deltaY * 0.002), nsAt(now.layout, x), now.durationNs));
      } else if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) {
        event.preventDefault();
        const perPx = (window.toNs - window.fromNs) / Math.max(1, now.layout.right - now.layout.left);
        now.onWindow(moved(window, sideways * perPx, now.durationNs));
      }
    };
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => element.removeEventListener("wheel", onWheel);
  }, [scroller]);
}

/** The line of the keyboard is kept in sight. */
function useScrolledTo(scroller: RefObject<HTMLDivElement | null>, line: number, count: number): void {
  useEffect(() => {
    const element = scroller.current;
    if (!element || line < 0 || line >= count) return;
    const top = line * rowPx;
    const shown = element.clientHeight - axisPx;
    if (top < element.scrollTop) element.scrollTop = Math.max(0, top - rowPx);
    else if (top + rowPx > element.scrollTop + shown) element.scrollTop = top - shown + 3 * rowPx;
  }, [scroller, line, count]);
}
