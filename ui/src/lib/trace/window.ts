// The stretch of a trace that is on the screen: zoomed around a point, moved, kept within the trace.

export interface Window {
  fromNs: number;
  toNs: number;
}

/** Closer than this nothing can be told apart. */
const leastNs = 100;

export function wholeWindow(durationNs: number): Window {
  return { fromNs: 0, toNs: Math.max(leastNs, durationNs) };
}

export function isWhole(window: Window, durationNs: number): boolean {
  return window.fromNs <= 0 && window.toNs >= Math.max(leastNs, durationNs);
}

/** A factor below 1 comes closer. `aroundNs` keeps its place on the screen. */
export function zoomed(window: Window, factor: number, aroundNs: number, durationNs: number): Window {
  const whole = wholeWindow(durationNs);
  const length = window.toNs - window.fromNs;
  const next = Math.min(whole.toNs, Math.max(leastNs, length * factor));
  const around = Math.min(window.toNs, Math.max(window.fromNs, aroundNs));
  const share = length > 0 ? (around - window.fromNs) / length : 0.5;
  return clamped({ fromNs: around - share * next, toNs: around + (1 - share) * next }, durationNs);
}

export function moved(window: Window, byNs: number, durationNs: number): Window {
  return clamped({ fromNs: window.fromNs + byNs, toNs: window.toNs + byNs }, durationNs);
}

/** Within the trace, as long as it is, in whole nanoseconds. */
export function clamped({ fromNs, toNs }: Window, durationNs: number): Window {
  const whole = wholeWindow(durationNs);
  const length = Math.round(Math.min(whole.toNs, Math.max(leastNs, toNs - fromNs)));
  const from = Math.round(Math.min(whole.toNs - length, Math.max(0, fromNs)));
  return { fromNs: from, toNs: from + length };
}
