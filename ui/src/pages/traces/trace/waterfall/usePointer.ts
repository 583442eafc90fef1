import { type PointerEvent, type RefObject, useRef, useState } from "react";
import type { Lines } from "../../../../lib/trace/lines";
import type { Window } from "../../../../lib/trace/window";
import { type Layout, lineAt, nameLeft, nsAt } from "./layout";
import type { LinesHandle } from "./useLines";

interface Pointed {
  line: number;
  overBars: boolean;
  x: number;
  y: number;
  drag: [from: number, to: number] | null;
}

interface PointerUse {
  element: RefObject<HTMLDivElement | null>;
  layout: Layout;
  lines: Lines;
  handle: LinesHandle;
  onZoom: (window: Window) => void;
  onWhole: () => void;
  onLine: (line: number) => void;
}

const nowhere: Pointed = { line: -1, overBars: false, x: 0, y: 0, drag: null };
const dragPx = 4;
const arrowPx = 10;

/** Hovering says what is there, a click opens it, a drag over the bars zooms, a double click shows all again. */
export function usePointer({ element, layout, lines, handle, onZoom, onWhole, onLine }: PointerUse) {
  const [pointed, setPointed] = useState<Pointed>(nowhere);
  const pressed = useRef<{ x: number; y: number; drags: boolean } | null>(null);

  const placeOf = (event: { clientX: number; clientY: number }) => {
    const box = element.current?.getBoundingClientRect();
    const x = event.clientX - (box?.left ?? 0);
    const y = event.clientY - (box?.top ?? 0);
    const scrollTop = element.current?.scrollTop ?? 0;
    return { x, y, line: lineAt(y, scrollTop, lines.count), overBars: x > layout.left - 8 };
  };
  const onPointerMove = (event: PointerEvent) => {
    const place = placeOf(event);
    const from = pressed.current;
    if (from?.drags || (from && Math.abs(place.x - from.x) > dragPx && event.pointerType === "mouse")) {
      if (from.x < layout.left) return;
      from.drags = true;
      setPointed({ ...place, drag: [from.x, place.x] });
      return;
    }
    if (event.pointerType === "mouse") setPointed({ ...place, drag: null });
  };
  const onPointerDown = (event: PointerEvent) => {
    if (event.button !== 0) return;
    const { x, y } = placeOf(event);
    // The scroll bar is not ours.
    if (x > layout.width) return;
    pressed.current = { x, y, drags: false };
    if (event.pointerType === "mouse" && x >= layout.left)
      event.currentTarget.setPointerCapture(event.pointerId);
  };
  const onPointerUp = (event: PointerEvent) => {
    const from = pressed.current;
    pressed.current = null;
    if (!from) return;
    const place = placeOf(event);
    if (from.drags) {
      setPointed({ ...place, drag: null });
      const ends = [nsAt(layout, from.x), nsAt(layout, place.x)].sort((a, b) => a - b);
      if (Math.abs(place.x - from.x) > dragPx) onZoom({ fromNs: ends[0] ?? 0, toNs: ends[1] ?? 0 });
      return;
    }
    if (Math.abs(place.y - from.y) > dragPx || place.line < 0) return;
    const row = lines.row[place.line] ?? 0;
    const depth = handle.depthOf(row);
    const open = handle.isOpen(place.line);
    const onArrow = Math.abs(place.x - (nameLeft(layout, depth) - 2)) <= arrowPx;
    if (open !== null && (onArrow || lines.isFold[place.line] === 1)) handle.setOpen(place.line, !open);
    else onLine(place.line);
  };
  const onPointerLeave = () => setPointed(nowhere);
  const onDoubleClick = (event: { clientX: number; clientY: number }) => {
    if (placeOf(event).overBars) onWhole();
  };
  return {
    pointed,
    cursor: pointed.drag ? "drag" : pointed.overBars ? "bars" : "names",
    handlers: {
      onPointerMove,
      onPointerDown,
      onPointerUp,
      onPointerLeave,
      onDoubleClick,
      onPointerCancel: () => {
        pressed.current = null;
      },
    },
  };
}
