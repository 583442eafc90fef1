// Draws a flame graph: each frame a tinted box with an edge in its service's colour.
import type { Paint } from "../../../components/chart/paint";
import { formatNanos } from "../../../lib/time/nanosText";
import type { Frame, Placed } from "../../../lib/trace/groups";
import { fitted, fontOf } from "./waterfall/draw";

export const flameRowPx = 22;

interface Flame {
  frames: Frame[];
  placed: Placed[];
  /** Levels above the frame that is zoomed to. */
  callers: number;
  slot: (frame: Frame) => number | string;
  marks: { pointed: number; active: number; selected: number };
  width: number;
  height: number;
}

export function drawFlame(ctx: CanvasRenderingContext2D, flame: Flame, paint: Paint): void {
  const { frames, placed, callers, slot, marks, width, height } = flame;
  ctx.clearRect(0, 0, width, height);
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  for (const { frame, level, from, to } of placed) {
    const one = frames[frame];
    if (!one) continue;
    const x = from * width;
    const w = Math.max(1, (to - from) * width - 1);
    const y = (level + callers) * flameRowPx;
    const colour = slot(one);
    const above = level < 0;
    ctx.fillStyle = paint.series(colour, frame === marks.pointed ? 0.5 : above ? 0.14 : 0.3);
    ctx.fillRect(x, y, w, flameRowPx - 1);
    ctx.fillStyle = paint.series(colour);
    ctx.fillRect(x, y, Math.min(3, w), flameRowPx - 1);
    if (one.pathNs > 0) {
      ctx.fillStyle = paint.role("accent");
      ctx.fillRect(x, y + flameRowPx - 3, w, 2);
    }
    if (one.errors > 0 && w > 8) {
      ctx.fillStyle = paint.role("crit-mark");
      ctx.fillRect(x + w - 4, y, 4, flameRowPx - 1);
    }
    if (w > 34) {
      ctx.font = fontOf(paint, 12, 400);
      ctx.fillStyle = paint.role("text");
      const name = fitted(ctx, one.name, w - 14);
      ctx.fillText(name, x + 8, y + flameRowPx / 2 - 0.5);
      const used = ctx.measureText(name).width + 14;
      ctx.fillStyle = paint.role("text-2");
      if (w - used > 60) {
        const note = `${one.service}, ${formatNanos(one.totalNs)}`;
        ctx.fillText(fitted(ctx, note, w - used - 6), x + used, y + flameRowPx / 2 - 0.5);
      }
    }
    if (frame === marks.active || frame === marks.selected) {
      ctx.strokeStyle = paint.role("accent");
      ctx.lineWidth = frame === marks.active ? 2 : 1;
      ctx.strokeRect(x + 1, y + 1, Math.max(1, w - 2), flameRowPx - 3);
    }
  }
}
