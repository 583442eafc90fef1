// A trace in a few bars: from when to when each of its services was at work.
import { assignColours, cssColour } from "../../../lib/chart/colours";
import type { TraceView } from "../../../lib/trace/view";

export interface TraceBar {
  service: string;
  /** Shares of the trace's time. */
  from: number;
  width: number;
  colour: string;
}

/** Those that the trace waited for longest, by their start. */
export function traceBars(view: TraceView, limit: number): TraceBar[] {
  const { count, service, startNs, durationNs } = view.spans;
  const extents = view.services.map(() => ({ from: Number.POSITIVE_INFINITY, to: 0 }));
  for (let row = 0; row < count; row += 1) {
    const extent = extents[service[row] ?? 0];
    if (!extent) continue;
    extent.from = Math.min(extent.from, startNs[row] ?? 0);
    extent.to = Math.max(extent.to, (startNs[row] ?? 0) + (durationNs[row] ?? 0));
  }
  const colours = assignColours(view.services.map((label) => ({ label })));
  const ns = new Map(view.pathByService.map((share) => [share.service, share.ns]));
  const whole = Math.max(1, view.durationNs);
  return view.services
    .map((name, at) => ({ name, at, onPath: ns.get(name) ?? 0 }))
    .filter(({ at }) => (extents[at]?.to ?? 0) >= (extents[at]?.from ?? 0))
    .sort((a, b) => b.onPath - a.onPath)
    .slice(0, limit)
    .map(({ name, at }): TraceBar => {
      const { from = 0, to = 0 } = extents[at] ?? {};
      return {
        service: name,
        from: from / whole,
        width: (to - from) / whole,
        colour: cssColour(colours[at] ?? 9),
      };
    })
    .sort((a, b) => a.from - b.from);
}

/** Where in the trace a moment lies, 0 to 1; null: outside of it. */
export function placeIn(view: TraceView, time: string): number | null {
  const share = ((Date.parse(time) - Date.parse(view.start)) * 1e6) / Math.max(1, view.durationNs);
  return share >= 0 && share <= 1 ? share : null;
}
