// Draws the scatter: a dot per trace, a cross for one that failed, so that colour is not all that tells them apart.
import type { TracePoint } from "../../../api/traces";
import type { Paint } from "../../../components/chart/paint";
import { tickLabel, timeTicks } from "../../../lib/scale";
import { formatNanos } from "../../../lib/time/nanosText";
import type { Span } from "../../../lib/time/range";
import type { Zone } from "../../../lib/time/zone";
import type { Area, LogAxis, Place } from "./points";

interface Scene {
  points: TracePoint[];
  places: Place[];
  axis: LogAxis;
  area: Area;
  span: Span;
  zone: Zone;
  pointed: number;
  drag: [from: number, to: number] | null;
}

export function drawScatter(
  ctx: CanvasRenderingContext2D,
  scene: Scene,
  size: { width: number; height: number },
  paint: Paint,
): void {
  ctx.clearRect(0, 0, size.width, size.height);
  drawAxes(ctx, scene, paint);
  const { points, places, pointed, area, drag } = scene;
  ctx.fillStyle = paint.series(1, 0.75);
  for (const [at, point] of points.entries()) {
    const place = places[at];
    if (!place || point.error) continue;
    ctx.beginPath();
    ctx.arc(place.x, place.y, 2.5, 0, 2 * Math.PI);
    ctx.fill();
  }
  // What failed lies on top.
  ctx.strokeStyle = paint.role("crit-mark");
  ctx.lineWidth = 1.75;
  ctx.beginPath();
  for (const [at, point] of points.entries()) {
    const place = places[at];
    if (!place || !point.error) continue;
    ctx.moveTo(place.x - 3, place.y - 3);
    ctx.lineTo(place.x + 3, place.y + 3);
    ctx.moveTo(place.x + 3, place.y - 3);
    ctx.lineTo(place.x - 3, place.y + 3);
  }
  ctx.stroke();
  const place = places[pointed];
  if (place) {
    ctx.beginPath();
    ctx.arc(place.x, place.y, 6, 0, 2 * Math.PI);
    ctx.strokeStyle = paint.role("accent");
    ctx.lineWidth = 2;
    ctx.stroke();
  }
  if (!drag) return;
  const [from, to] = [
    Math.max(area.left, Math.min(...drag)),
    Math.min(area.left + area.width, Math.max(...drag)),
  ];
  ctx.fillStyle = paint.series(paint.role("accent"), 0.18);
  ctx.fillRect(from, area.top, to - from, area.height);
  ctx.fillStyle = paint.role("accent");
  ctx.fillRect(from, area.top, 1, area.height);
  ctx.fillRect(to, area.top, 1, area.height);
}

function drawAxes(ctx: CanvasRenderingContext2D, { axis, area, span, zone }: Scene, paint: Paint): void {
  const { left, top, width, height } = area;
  const [low, high] = [Math.log10(axis.minNs), Math.log10(axis.maxNs)];
  ctx.font = paint.font;
  ctx.textBaseline = "middle";
  ctx.textAlign = "right";
  for (const tick of axis.ticks) {
    const y = Math.round(top + (1 - (Math.log10(tick) - low) / (high - low)) * height);
    ctx.fillStyle = paint.role("grid");
    ctx.fillRect(left, y, width, 1);
    ctx.fillStyle = paint.role("text-3");
    ctx.fillText(formatNanos(tick), left - 8, y);
  }
  ctx.fillStyle = paint.role("line-strong");
  ctx.fillRect(left, top + height, width, 1);
  const { ticks, stepMs } = timeTicks(span.startMs, span.endMs, Math.max(2, Math.floor(width / 90)), zone);
  ctx.textAlign = "center";
  ctx.textBaseline = "top";
  ctx.fillStyle = paint.role("text-3");
  const perMs = width / Math.max(1, span.endMs - span.startMs);
  for (const tick of ticks) {
    const x = left + (tick - span.startMs) * perMs;
    const text = tickLabel(tick, stepMs, zone);
    const half = ctx.measureText(text).width / 2;
    if (x - half < left - 30 || x + half > left + width + 10) continue;
    ctx.fillText(text, x, top + height + 6);
  }
}
