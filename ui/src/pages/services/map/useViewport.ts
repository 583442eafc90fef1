import { type PointerEvent, useCallback, useEffect, useRef, useState } from "react";
import type { Bounds } from "./layout";
import { fitted, moved, opening, showing, type Viewport, zoomed } from "./viewport";

const wheelSpeed = 0.0015;
/** So far a press may move and still be a click. */
const slackPx = 4;

/** Pan by drag, zoom by wheel, pinch and keys. The map follows its size until a person moves it. */
export function useViewport(bounds: Bounds | null, width: number, height: number) {
  const frame = useRef<HTMLDivElement>(null);
  const [own, setOwn] = useState<Viewport | null>(null);
  const known = bounds !== null && width > 0 && height > 0;
  const view = own ?? (known ? opening(bounds, { width, height }) : { x: 0, y: 0, scale: 1 });
  const latest = useRef(view);
  latest.current = view;
  const pointers = useRef(new Map<number, { x: number; y: number }>());
  const travelled = useRef(0);

  const change = useCallback((next: (view: Viewport) => Viewport) => {
    latest.current = next(latest.current);
    setOwn(latest.current);
  }, []);
  const zoom = useCallback(
    (factor: number) => change((old) => zoomed(old, factor, { x: width / 2, y: height / 2 })),
    [change, width, height],
  );
  const showAll = useCallback(() => {
    const whole = bounds && fitted(bounds, { width, height });
    // Where that is what it opens with, it also follows the window again.
    setOwn(whole && bounds && opening(bounds, { width, height }).scale !== whole.scale ? whole : null);
  }, [bounds, width, height]);
  const show = useCallback(
    (box: Bounds) => {
      const next = showing(latest.current, box, { width, height });
      if (next !== latest.current) change(() => next);
    },
    [change, width, height],
  );

  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const box = element.getBoundingClientRect();
      const at = { x: event.clientX - box.left, y: event.clientY - box.top };
      const lines = event.deltaMode === 1 ? 16 : 1;
      change((old) => zoomed(old, Math.exp(-event.deltaY * lines * wheelSpeed), at));
    };
    // React listens passively, and then the page would scroll.
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => element.removeEventListener("wheel", onWheel);
  }, [change]);

  const onPointerDown = (event: PointerEvent<HTMLElement>) => {
    if (event.button !== 0) return;
    pointers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
    travelled.current = 0;
  };
  const onPointerMove = (event: PointerEvent<HTMLElement>) => {
    const before = pointers.current.get(event.pointerId);
    if (!before) return;
    const now = { x: event.clientX, y: event.clientY };
    const other = [...pointers.current].find(([id]) => id !== event.pointerId)?.[1];
    travelled.current += Math.abs(now.x - before.x) + Math.abs(now.y - before.y);
    if (travelled.current <= slackPx) return;
    // From here on it is a drag, and what is under the pointer gets no click.
    if (!event.currentTarget.hasPointerCapture(event.pointerId))
      event.currentTarget.setPointerCapture(event.pointerId);
    pointers.current.set(event.pointerId, now);
    if (!other) {
      change((old) => moved(old, now.x - before.x, now.y - before.y));
      return;
    }
    const box = event.currentTarget.getBoundingClientRect();
    const spread = (point: { x: number; y: number }) => Math.hypot(point.x - other.x, point.y - other.y);
    const at = { x: (now.x + other.x) / 2 - box.left, y: (now.y + other.y) / 2 - box.top };
    change((old) =>
      moved(
        zoomed(old, spread(now) / Math.max(1, spread(before)), at),
        (now.x - before.x) / 2,
        (now.y - before.y) / 2,
      ),
    );
  };
  const onPointerEnd = (event: PointerEvent<HTMLElement>) => {
    pointers.current.delete(event.pointerId);
  };
  return {
    frame,
    view,
    zoom,
    showAll,
    show,
    /** Was the last press a drag? */
    wasDragged: () => travelled.current > slackPx,
    handlers: {
      onPointerDown,
      onPointerMove,
      onPointerUp: onPointerEnd,
      onPointerCancel: onPointerEnd,
    },
  };
}
