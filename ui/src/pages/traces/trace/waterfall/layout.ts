// Where things stand on the waterfall's canvas, in CSS pixels.
import type { Window } from "../../../../lib/trace/window";

export const rowPx = 28;
/** The axis above the lines. */
export const axisPx = 26;
export const barPx = 12;
const barTopPx = (rowPx - barPx) / 2;

export interface Layout {
  width: number;
  height: number;
  /** Where the bars begin and end. */
  left: number;
  right: number;
  /** Per level of depth. */
  indent: number;
  window: Window;
}

export function layoutOf(width: number, height: number, maxDepth: number, window: Window): Layout {
  const narrow = width < 560;
  const names = narrow ? Math.round(width * 0.44) : Math.round(Math.min(340, Math.max(240, width * 0.3)));
  const durations = narrow ? 54 : 68;
  // Deep traces give up indentation, never the names.
  const indent = Math.max(
    1,
    Math.min(narrow ? 8 : 16, (names - (narrow ? 84 : 150)) / Math.max(1, maxDepth)),
  );
  return { width, height, left: names, right: Math.max(names + 40, width - durations), indent, window };
}

export function xOf({ left, right, window }: Layout, ns: number): number {
  return left + ((ns - window.fromNs) / (window.toNs - window.fromNs)) * (right - left);
}

export function nsAt({ left, right, window }: Layout, x: number): number {
  return window.fromNs + ((x - left) / Math.max(1, right - left)) * (window.toNs - window.fromNs);
}

/** The left edge of a name, behind its arrow. */
export function nameLeft({ indent }: Layout, depth: number): number {
  return 16 + depth * indent;
}

export function lineTop(line: number, scrollTop: number): number {
  return axisPx + line * rowPx - scrollTop;
}

export function barTop(line: number, scrollTop: number): number {
  return lineTop(line, scrollTop) + barTopPx;
}

/** The line under a point; -1 above and below them. */
export function lineAt(y: number, scrollTop: number, count: number): number {
  if (y < axisPx) return -1;
  const line = Math.floor((y - axisPx + scrollTop) / rowPx);
  return line < count ? line : -1;
}
