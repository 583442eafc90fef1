import { type KeyboardEvent, type RefObject, useRef, useState } from "react";
import type uPlot from "uplot";
import { clockOf, rowsAt } from "../../lib/chart/describe";
import type { Span } from "../../lib/time/range";
import type { Zone } from "../../lib/time/zone";
import { formatValue } from "../../lib/units";
import type { CursorAt, Shape } from "./plot";

interface TimeCursor {
  plot: RefObject<uPlot | null>;
  pointed: RefObject<boolean>;
  onZoom: ((span: Span) => void) | undefined;
  onZoomBack: (() => void) | undefined;
  onCursor: (cursor: CursorAt | null) => void;
  zone: Zone;
  shape: Shape;
  unit: string;
}

const spokenRows = 5;

/** The cursor by keyboard: arrows move it, with Shift they select, Enter zooms, Backspace goes back. */
export function useTimeCursor(times: number[], chart: TimeCursor) {
  const { plot, pointed, onZoom, onZoomBack, onCursor, zone, shape, unit } = chart;
  const [position, setPosition] = useState<number | null>(null);
  const anchor = useRef<number | null>(null);
  const last = times.length - 1;
  const at = Math.min(position ?? last, last);

  const select = (from: number | null, to: number) => {
    const plotted = plot.current;
    if (!plotted) return;
    const [one, other] = [from ?? to, to].map((index) => plotted.valToPos(times[index] ?? 0, "x"));
    const left = Math.min(one ?? 0, other ?? 0);
    const width = from === null ? 0 : Math.abs((one ?? 0) - (other ?? 0));
    plotted.setSelect({ left, width, top: 0, height: plotted.over.clientHeight }, false);
  };
  const show = (index: number) => {
    const plotted = plot.current;
    setPosition(index);
    if (!plotted) return;
    pointed.current = true;
    plotted.setCursor({ left: plotted.valToPos(times[index] ?? 0, "x"), top: 1 });
  };
  const leave = () => {
    pointed.current = false;
    anchor.current = null;
    setPosition(null);
    select(null, 0);
    plot.current?.setCursor({ left: -10, top: -10 });
    onCursor(null);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const to = movedTo(event.key, at, last);
    if (to !== null) {
      anchor.current = event.shiftKey ? (anchor.current ?? at) : null;
      show(to);
      select(anchor.current, to);
    } else if ((event.key === "Enter" || event.key === " ") && anchor.current !== null && onZoom) {
      const ends = [times[anchor.current] ?? 0, times[at] ?? 0].sort((a, b) => a - b);
      leave();
      if (ends[0] !== ends[1]) onZoom({ startMs: (ends[0] ?? 0) * 1000, endMs: (ends[1] ?? 0) * 1000 });
    } else if (event.key === "Backspace" && onZoomBack) {
      onZoomBack();
    } else if (event.key === "Escape") {
      event.currentTarget.blur();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  const { rows, more } = rowsAt(shape.series, at, spokenRows);
  const spoken = rows.map(
    ({ series, value }) => `${series.label} ${formatValue(value, series.unit ?? unit)}`,
  );
  const values = spoken.length > 0 ? spoken.join(", ") : "no data";
  return {
    role: "slider",
    tabIndex: 0,
    "aria-label": "Time cursor: arrows move it, with Shift they select, Enter zooms, Backspace goes back",
    "aria-valuemin": 0,
    "aria-valuemax": Math.max(0, last),
    "aria-valuenow": Math.max(0, at),
    "aria-valuetext": `${clockOf(times, zone)(times[at] ?? 0)}: ${values}${more > 0 ? `, ${more} more` : ""}`,
    onFocus: () => show(at),
    onBlur: leave,
    onKeyDown,
  };
}

function movedTo(key: string, at: number, last: number): number | null {
  const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 };
  if (key === "Home") return 0;
  if (key === "End") return last;
  const by = steps[key];
  return by === undefined ? null : Math.min(last, Math.max(0, at + by));
}
