// What of the map is on the screen: world coordinates times `scale`, moved by x and y, are pixels.
import type { Bounds } from "./layout";

export interface Viewport {
  x: number;
  y: number;
  scale: number;
}

export interface Size {
  width: number;
  height: number;
}

const [leastScale, mostScale] = [0.15, 2.5];
/** A small map is not blown up much. */
const mostFit = 1.2;
const marginPx = 28;
/** Tags above, the legend below. */
const [topPx, bottomPx] = [52, 60];

/** All of it in the middle. */
export function fitted(bounds: Bounds, { width, height }: Size): Viewport {
  const [wide, high] = [bounds.right - bounds.left, bounds.bottom - bounds.top];
  const room = { width: width - 2 * marginPx, height: height - topPx - bottomPx };
  const scale = clampScale(Math.min(room.width / wide, room.height / high, mostFit));
  return {
    scale,
    x: (width - wide * scale) / 2 - bounds.left * scale,
    y: topPx + (room.height - high * scale) / 2 - bounds.top * scale,
  };
}

/** On a phone the whole is too small to be read: as much of its left as is legible. */
const phonePx = 640;
const legibleScale = 0.72;

export function opening(bounds: Bounds, size: Size): Viewport {
  const whole = fitted(bounds, size);
  if (size.width >= phonePx || whole.scale >= legibleScale) return whole;
  const middle = (bounds.top + bounds.bottom) / 2;
  return {
    scale: legibleScale,
    x: marginPx / 2 - bounds.left * legibleScale,
    y: topPx + (size.height - topPx - bottomPx) / 2 - middle * legibleScale,
  };
}

/** The point at these pixels stays where it is. */
export function zoomed(view: Viewport, factor: number, at: { x: number; y: number }): Viewport {
  const scale = clampScale(view.scale * factor);
  const by = scale / view.scale;
  return { scale, x: at.x - (at.x - view.x) * by, y: at.y - (at.y - view.y) * by };
}

export function moved(view: Viewport, dx: number, dy: number): Viewport {
  return { ...view, x: view.x + dx, y: view.y + dy };
}

/** Moves just so far that a box is on the screen. */
export function showing(view: Viewport, box: Bounds, { width, height }: Size): Viewport {
  const edge = (low: number, high: number, size: number) =>
    low < marginPx ? marginPx - low : high > size - marginPx ? size - marginPx - high : 0;
  const dx = edge(box.left * view.scale + view.x, box.right * view.scale + view.x, width);
  const dy = edge(box.top * view.scale + view.y, box.bottom * view.scale + view.y, height);
  return dx === 0 && dy === 0 ? view : moved(view, dx, dy);
}

function clampScale(scale: number): number {
  return Math.min(mostScale, Math.max(leastScale, scale));
}
