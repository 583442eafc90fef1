// What a chart has beside its lines: gaps, thresholds, annotations, the base line. Drawn in canvas pixels.
import type uPlot from "uplot";
import type { Annotation, Gap, Thresholds, Usual } from "../../lib/chart/series";
import { formatDuration } from "../../lib/time/format";
import type { Role } from "../../theme/tokens";
import type { Paint } from "./paint";

export interface Decoration {
  gaps: Gap[];
  /** A gap longer than two of them has its length written. */
  stepS: number;
  thresholds: Thresholds[];
  annotations: Annotation[];
  usual?: Usual | undefined;
}

const hatchHeightPx = 6;
const gapLiftPx = 14;

/** Under the lines: tinted regions, and the zero line where the axis goes below it. */
export function drawUnder(plot: uPlot, { annotations, usual }: Decoration, paint: Paint): void {
  const { ctx, bbox } = plot;
  ctx.save();
  if (usual) drawUsual(plot, usual, paint);
  for (const { time, endTime, accent, band, onset } of annotations) {
    if (onset) {
      drawOnset(plot, time, endTime ?? time, paint);
      continue;
    }
    if (endTime === undefined || (endTime <= time && !accent && !band)) continue;
    const [from, to] = [clampX(plot, time), clampX(plot, endTime)];
    if (band) {
      drawBand(plot, from, to, band, paint);
      continue;
    }
    const least = accent ? px(plot, 3) : 0;
    ctx.fillStyle = paint.series(paint.role(accent ? "accent" : "text-3"), accent ? 0.5 : 0.12);
    ctx.fillRect(from, bbox.top, Math.max(least, to - from), bbox.height);
  }
  const { min, max } = plot.scales.y ?? {};
  if (min !== undefined && max !== undefined && min < 0 && max > 0) {
    ctx.fillStyle = paint.role("line-strong");
    ctx.fillRect(bbox.left, Math.round(plot.valToPos(0, "y", true)), bbox.width, px(plot, 1));
  }
  ctx.restore();
}

function drawUsual(plot: uPlot, { low, high }: Usual, paint: Paint): void {
  const { min, max } = plot.scales.y ?? {};
  if (min === undefined || max === undefined || high < min || low > max) return;
  const { ctx, bbox } = plot;
  const [top, bottom] = [high, low].map((value) =>
    plot.valToPos(Math.min(max, Math.max(min, value)), "y", true),
  ) as [number, number];
  ctx.fillStyle = paint.series(paint.role("text-3"), 0.18);
  ctx.fillRect(bbox.left, top, bbox.width, Math.max(px(plot, 3), bottom - top));
}

function drawOnset(plot: uPlot, time: number, endTime: number, paint: Paint): void {
  const { ctx, bbox } = plot;
  const [from, to] = [clampX(plot, time), clampX(plot, endTime)];
  const right = bbox.left + bbox.width;
  if (from >= right) return;
  const end = Math.max(to, from + px(plot, 2));
  ctx.fillStyle = paint.series(paint.role("accent"), 0.08);
  ctx.fillRect(end, bbox.top, right - end, bbox.height);
  // A wide one must not hide what happened in it.
  ctx.fillStyle = paint.series(paint.role("accent"), end - from > px(plot, 6) ? 0.35 : 0.85);
  ctx.fillRect(from, bbox.top, end - from, bbox.height);
}

const bandRoles = { crit: "crit-mark", warn: "warn-mark", info: "info", pending: "warn-mark" } as const;

function drawBand(
  plot: uPlot,
  from: number,
  to: number,
  band: NonNullable<Annotation["band"]>,
  paint: Paint,
): void {
  const { ctx, bbox } = plot;
  // One that lies beside the range is not there.
  if (to <= bbox.left || from >= bbox.left + bbox.width) return;
  const width = Math.max(px(plot, 2), to - from);
  const colour = paint.role(bandRoles[band]);
  ctx.fillStyle = paint.series(colour, band === "pending" ? 0.06 : 0.14);
  ctx.fillRect(from, bbox.top, width, bbox.height);
  if (band !== "pending") return;
  ctx.save();
  ctx.beginPath();
  ctx.rect(from, bbox.top, width, bbox.height);
  ctx.clip();
  ctx.beginPath();
  for (let x = from - bbox.height; x < from + width; x += px(plot, 8)) {
    ctx.moveTo(x, bbox.top + bbox.height);
    ctx.lineTo(x + bbox.height, bbox.top);
  }
  ctx.strokeStyle = paint.series(colour, 0.35);
  ctx.lineWidth = px(plot, 1);
  ctx.stroke();
  ctx.restore();
}

/** Over the lines: gaps on the base line, thresholds, annotations. */
export function drawOver(plot: uPlot, decoration: Decoration, paint: Paint): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.font = paint.font.replace("11px", `${px(plot, 11)}px`);
  // An onset has its word at the foot: what a gap says stands above it then.
  const lift = decoration.annotations.some(({ onset }) => onset) ? gapLiftPx : 0;
  for (const gap of decoration.gaps) drawGap(plot, gap, decoration.stepS, lift, paint);
  for (const threshold of decoration.thresholds) drawThreshold(plot, threshold, paint);
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height + px(plot, 1));
  ctx.clip();
  for (const annotation of decoration.annotations) drawAnnotation(plot, annotation, paint);
  ctx.restore();
}

function drawGap(plot: uPlot, gap: Gap, stepS: number, liftPx: number, paint: Paint): void {
  const { ctx, bbox } = plot;
  const [from, to] = [clampX(plot, gap.start), clampX(plot, gap.end)];
  if (to <= from) return;
  const bottom = bbox.top + bbox.height;
  const height = px(plot, hatchHeightPx);
  ctx.save();
  ctx.beginPath();
  ctx.rect(from, bottom - height, to - from, height);
  ctx.clip();
  ctx.beginPath();
  for (let x = from - height; x < to; x += px(plot, 5)) {
    ctx.moveTo(x, bottom - height);
    ctx.lineTo(x + height, bottom);
  }
  ctx.strokeStyle = paint.role("text-3");
  ctx.lineWidth = px(plot, 1);
  ctx.stroke();
  ctx.restore();
  if (gap.end - gap.start <= 2 * stepS) return;
  const text = `no data ${formatDuration((gap.end - gap.start) * 1000)}`;
  const width = ctx.measureText(text).width;
  const middle = (from + to) / 2;
  const x = Math.min(Math.max(middle, bbox.left + width / 2), bbox.left + bbox.width - width / 2);
  ctx.fillStyle = paint.role("text-3");
  ctx.textAlign = "center";
  ctx.textBaseline = "bottom";
  ctx.fillText(text, x, bottom - height - px(plot, 2 + liftPx));
}

const thresholdRoles = {
  warn: ["warn-mark", "warn"],
  crit: ["crit-mark", "crit"],
  info: ["info", "info"],
} as const;

function drawThreshold(plot: uPlot, { value, kind, label }: Thresholds, paint: Paint): void {
  const { min, max } = plot.scales.y ?? {};
  if (min === undefined || max === undefined || value < min || value > max) return;
  const { ctx, bbox } = plot;
  const [mark, text]: readonly [Role, Role] = thresholdRoles[kind];
  const y = Math.round(plot.valToPos(value, "y", true)) + px(plot, 0.5);
  ctx.save();
  ctx.beginPath();
  ctx.setLineDash([px(plot, 4), px(plot, 3)]);
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.strokeStyle = paint.role(mark);
  ctx.lineWidth = px(plot, 1);
  ctx.stroke();
  ctx.restore();
  if (!label) return;
  const above = y - bbox.top > px(plot, 16);
  ctx.fillStyle = paint.role(text);
  ctx.textAlign = "left";
  ctx.textBaseline = above ? "bottom" : "top";
  ctx.fillText(label, bbox.left + px(plot, 4), y + px(plot, above ? -3 : 3));
}

function drawAnnotation(plot: uPlot, annotation: Annotation, paint: Paint): void {
  const { time, text, important, accent, band, onset } = annotation;
  if (accent || band === "pending") return;
  if (onset) {
    drawOnsetText(plot, annotation, paint);
    return;
  }
  const { ctx, bbox } = plot;
  const x = Math.round(plot.valToPos(time, "x", true)) + px(plot, 0.5);
  if (x < bbox.left || x > bbox.left + bbox.width) return;
  const bottom = bbox.top + bbox.height;
  ctx.save();
  ctx.beginPath();
  ctx.setLineDash([px(plot, 2), px(plot, 2)]);
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bottom);
  ctx.strokeStyle = paint.role("text-2");
  ctx.lineWidth = px(plot, 1);
  ctx.stroke();
  ctx.restore();
  ctx.beginPath();
  ctx.moveTo(x, bottom - px(plot, 6));
  ctx.lineTo(x - px(plot, 4), bottom);
  ctx.lineTo(x + px(plot, 4), bottom);
  ctx.fillStyle = paint.role("text-2");
  ctx.fill();
  if (!important) return;
  const left = x > bbox.left + bbox.width / 2;
  ctx.fillStyle = paint.role("text");
  ctx.textAlign = left ? "right" : "left";
  ctx.textBaseline = "top";
  ctx.fillText(text, x + px(plot, left ? -5 : 5), bbox.top);
}

/** At the foot of the band, on the side that has room. */
function drawOnsetText(plot: uPlot, { time, endTime, text }: Annotation, paint: Paint): void {
  const { ctx, bbox } = plot;
  const [from, to] = [clampX(plot, time), clampX(plot, endTime ?? time)];
  if (from >= bbox.left + bbox.width) return;
  const isRight = to + px(plot, 8) + ctx.measureText(text).width < bbox.left + bbox.width;
  ctx.fillStyle = paint.role("accent");
  ctx.textAlign = isRight ? "left" : "right";
  ctx.textBaseline = "bottom";
  ctx.fillText(text, isRight ? to + px(plot, 5) : from - px(plot, 5), bbox.top + bbox.height - px(plot, 4));
}

function clampX(plot: uPlot, time: number): number {
  const { left, width } = plot.bbox;
  return Math.min(left + width, Math.max(left, plot.valToPos(time, "x", true)));
}

/** CSS pixels as canvas pixels. */
function px(plot: uPlot, size: number): number {
  return size * (plot.ctx.canvas.width / Math.max(1, plot.width));
}
