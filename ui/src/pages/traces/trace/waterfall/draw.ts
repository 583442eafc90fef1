// Draws the waterfall: only the lines that are on the screen, so that a trace of 100,000 spans costs what one of 30 does.
import type { Paint } from "../../../../components/chart/paint";
import { formatNanos, nanoTicks, tickNanos } from "../../../../lib/time/nanosText";
import { type Lines, staysOf, type Thread } from "../../../../lib/trace/lines";
import { type Fold, foldLabel, hasChildren, selfIntervals, type Tree } from "../../../../lib/trace/tree";
import { errorStatus, nameOf, serviceOf, type TraceView } from "../../../../lib/trace/view";
import { axisPx, barPx, barTop, type Layout, lineTop, nameLeft, rowPx, xOf } from "./layout";
import { notesOf } from "./notes";

export interface Scene {
  view: TraceView;
  tree: Tree;
  folds: Map<number, Fold>;
  lines: Lines;
  thread: Thread;
  collapsed: ReadonlySet<number>;
  unfolded: ReadonlySet<number>;
  /** A slot of the palette for each service, by its number. */
  colours: (number | string)[];
  /** Rows that the search found. */
  found: ReadonlySet<number>;
  selectedRow: number;
}

export interface Pointed {
  line: number;
  /** The ends of what is being dragged over, in pixels. */
  drag: [from: number, to: number] | null;
  /** Where the keyboard stands. */
  active: number;
}

const offPathAlpha = 0.28;
const onPathAlpha = 0.38;
const selfAlpha = 0.55;
const leastStayPx = 3;

export function drawWaterfall(
  ctx: CanvasRenderingContext2D,
  scene: Scene,
  layout: Layout,
  scrollTop: number,
  pointed: Pointed,
  paint: Paint,
): void {
  const { width, height } = layout;
  ctx.clearRect(0, 0, width, height);
  const first = Math.max(0, Math.floor(scrollTop / rowPx));
  const last = Math.min(scene.lines.count - 1, Math.floor((scrollTop + height - axisPx) / rowPx));
  ctx.save();
  ctx.beginPath();
  ctx.rect(0, axisPx, width, height - axisPx);
  ctx.clip();
  for (let line = first; line <= last; line += 1)
    drawGround(ctx, scene, layout, line, scrollTop, pointed, paint);
  ctx.restore();
  drawGrid(ctx, layout, paint);
  ctx.save();
  ctx.beginPath();
  ctx.rect(0, axisPx, width, height - axisPx);
  ctx.clip();
  for (let line = first; line <= last; line += 1) {
    drawName(ctx, scene, layout, line, scrollTop, paint);
    drawBars(ctx, scene, layout, line, scrollTop, pointed, paint);
  }
  drawThread(ctx, scene, layout, scrollTop, paint);
  ctx.restore();
  if (pointed.drag) drawDrag(ctx, layout, pointed.drag, paint);
}

function drawGround(
  ctx: CanvasRenderingContext2D,
  { lines, found, selectedRow }: Scene,
  { width }: Layout,
  line: number,
  scrollTop: number,
  pointed: Pointed,
  paint: Paint,
): void {
  const row = lines.row[line] ?? 0;
  const y = lineTop(line, scrollTop);
  const selected = row === selectedRow && lines.isFold[line] === 0;
  if (selected || pointed.line === line) {
    ctx.fillStyle = paint.role("hover");
    ctx.fillRect(0, y, width, rowPx);
  }
  if (found.has(row) && lines.isFold[line] === 0) {
    ctx.fillStyle = paint.series(paint.role("straw"), 0.14);
    ctx.fillRect(0, y, width, rowPx);
  }
  ctx.fillStyle = paint.role("accent");
  if (selected) ctx.fillRect(0, y, 2, rowPx);
  if (pointed.active !== line || selected) return;
  ctx.strokeStyle = paint.role("accent");
  ctx.lineWidth = 1;
  ctx.strokeRect(0.5, y + 0.5, width - 1, rowPx - 1);
}

function drawGrid(ctx: CanvasRenderingContext2D, layout: Layout, paint: Paint): void {
  const { width, height, left, right, window } = layout;
  const { ticks, stepNs } = nanoTicks(window.fromNs, window.toNs, Math.max(2, (right - left) / 110));
  ctx.font = paint.font;
  ctx.textBaseline = "middle";
  for (const at of ticks) {
    const x = Math.round(xOf(layout, at));
    ctx.fillStyle = paint.role("grid");
    ctx.fillRect(x, axisPx, 1, height);
    ctx.fillStyle = paint.role("text-3");
    const text = tickNanos(at, stepNs, window.toNs);
    const half = ctx.measureText(text).width / 2;
    ctx.textAlign = "left";
    // The first one keeps off the names, the last one off the edge.
    ctx.fillText(text, Math.min(Math.max(x - half, left - 2), width - 2 * half - 4), axisPx / 2);
  }
  ctx.fillStyle = paint.role("line-strong");
  ctx.fillRect(0, axisPx - 1, width, 1);
  ctx.fillRect(left - 10, 0, 1, height);
}

function drawName(
  ctx: CanvasRenderingContext2D,
  scene: Scene,
  layout: Layout,
  line: number,
  scrollTop: number,
  paint: Paint,
): void {
  const { view, tree, lines, folds, collapsed, unfolded } = scene;
  const row = lines.row[line] ?? 0;
  const depth = view.spans.depth[row] ?? 0;
  const fold = lines.isFold[line] === 1 ? folds.get(row) : undefined;
  const middle = lineTop(line, scrollTop) + rowPx / 2;
  const edge = layout.left - 16;
  ctx.fillStyle = paint.role("line");
  if (layout.indent >= 4)
    for (let level = 0; level < depth; level += 1)
      ctx.fillRect(Math.round(nameLeft(layout, level)) - 2, middle - rowPx / 2, 1, rowPx);
  ctx.save();
  ctx.beginPath();
  ctx.rect(0, middle - rowPx / 2, edge, rowPx);
  ctx.clip();
  const x = nameLeft(layout, depth);
  const parentOf = fold ? true : hasChildren(tree, row);
  const open = fold ? unfolded.has(row) : !collapsed.has(row);
  if (parentOf) drawArrow(ctx, x - 2, middle, open, paint);
  ctx.fillStyle = paint.series(colourOf(scene, row));
  roundRect(ctx, x + 8, middle - 4, 8, 8, 2);
  ctx.fill();
  let at = x + 22;
  const errors = fold
    ? fold.errors
    : view.spans.status[row] === errorStatus
      ? 1
      : open
        ? 0
        : (tree.errors[row] ?? 0);
  if (errors > 0) at = drawErrorMark(ctx, at, middle, paint);
  const title = fold ? foldLabel(nameOf(view, row), fold.rows.length) : nameOf(view, row);
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  ctx.font = fontOf(paint, 12, parentOf && open ? 500 : 400);
  ctx.fillStyle = paint.role("text");
  const room = edge - at;
  const shown = fitted(ctx, title, room);
  ctx.fillText(shown, at, middle + 0.5);
  at += ctx.measureText(shown).width + 6;
  ctx.font = paint.font;
  ctx.fillStyle = paint.role("text-3");
  if (edge - at > 24)
    ctx.fillText(
      fitted(ctx, [serviceOf(view, row), ...notesOf(scene, scene, line)].join(", "), edge - at),
      at,
      middle + 0.5,
    );
  ctx.restore();
}

function drawArrow(ctx: CanvasRenderingContext2D, x: number, y: number, open: boolean, paint: Paint): void {
  ctx.beginPath();
  if (open) {
    ctx.moveTo(x - 4, y - 2);
    ctx.lineTo(x + 4, y - 2);
    ctx.lineTo(x, y + 3);
  } else {
    ctx.moveTo(x - 2, y - 4);
    ctx.lineTo(x - 2, y + 4);
    ctx.lineTo(x + 3, y);
  }
  ctx.closePath();
  ctx.fillStyle = paint.role("text-3");
  ctx.fill();
}

/** A filled disc with an exclamation mark; its end is where the name goes on. */
function drawErrorMark(ctx: CanvasRenderingContext2D, x: number, y: number, paint: Paint): number {
  ctx.beginPath();
  ctx.arc(x + 5, y, 5.5, 0, 2 * Math.PI);
  ctx.fillStyle = paint.role("crit-mark");
  ctx.fill();
  ctx.fillStyle = paint.role("canvas");
  ctx.fillRect(x + 4.25, y - 3.25, 1.5, 4);
  ctx.fillRect(x + 4.25, y + 1.75, 1.5, 1.5);
  return x + 16;
}

function drawBars(
  ctx: CanvasRenderingContext2D,
  scene: Scene,
  layout: Layout,
  line: number,
  scrollTop: number,
  pointed: Pointed,
  paint: Paint,
): void {
  const { view, tree, lines, folds, thread } = scene;
  const { left, right, width } = layout;
  const row = lines.row[line] ?? 0;
  const { startNs, durationNs, isAsync, status } = view.spans;
  const fold = lines.isFold[line] === 1 ? folds.get(row) : undefined;
  const y = barTop(line, scrollTop);
  const colour = colourOf(scene, row);
  const [from, to] = [thread.first[line] ?? 0, thread.first[line + 1] ?? 0];
  const onPath = to > from;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left - 8, y - 10, right - left + 14, rowPx + 10);
  ctx.clip();
  const bar = (startsNs: number, endsNs: number, least: number): [x: number, width: number] => {
    const x = Math.max(left - 20, xOf(layout, startsNs));
    return [x, Math.max(least, Math.min(right + 40, xOf(layout, endsNs)) - x)];
  };
  const tint = paint.series(colour, onPath ? onPathAlpha : offPathAlpha);
  if (fold) {
    drawFolded(ctx, scene, layout, fold, y, tint);
  } else {
    const [x, w] = bar(startNs[row] ?? 0, (startNs[row] ?? 0) + (durationNs[row] ?? 0), 2);
    ctx.fillStyle = tint;
    roundRect(ctx, x, y, w, barPx, 2);
    ctx.fill();
    if (!onPath && (pointed.line === line || row === scene.selectedRow)) {
      ctx.fillStyle = paint.series(colour, selfAlpha);
      for (const self of selfIntervals(view, tree, row)) {
        const [sx, sw] = bar(self.fromNs, self.toNs, 1);
        ctx.fillRect(sx, y, sw, barPx);
      }
    }
    if (isAsync[row] === 1) {
      ctx.setLineDash([3, 2]);
      ctx.strokeStyle = paint.series(colour);
      ctx.lineWidth = 1;
      roundRect(ctx, x + 0.5, y + 0.5, Math.max(2, w - 1), barPx - 1, 2);
      ctx.stroke();
      ctx.setLineDash([]);
    }
  }
  ctx.fillStyle = paint.series(colour);
  for (let piece = from; piece < to; piece += 1) {
    const at = thread.order[piece] ?? 0;
    const [x, w] = bar(thread.fromNs[at] ?? 0, thread.toNs[at] ?? 0, 1.5);
    if (x + w < left - 8 || x > right + 8) continue;
    roundRect(ctx, x, y, w, barPx, 1.5);
    ctx.fill();
  }
  if (fold) drawCuts(ctx, scene, layout, fold, y, paint);
  else if (status[row] === errorStatus) {
    const [x, w] = bar(startNs[row] ?? 0, (startNs[row] ?? 0) + (durationNs[row] ?? 0), 2);
    ctx.fillStyle = paint.role("crit-mark");
    ctx.fillRect(x + w - Math.min(3, w), y, Math.min(3, w), barPx);
  }
  ctx.restore();
  const length = fold ? fold.endNs - fold.startNs : (durationNs[row] ?? 0);
  ctx.font = fontOf(paint, 12, 400);
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  ctx.fillStyle = paint.role(onPath ? "text" : "text-3");
  ctx.fillText(formatNanos(length), width - 12, lineTop(line, scrollTop) + rowPx / 2 + 0.5);
}

function drawFolded(
  ctx: CanvasRenderingContext2D,
  { view }: Scene,
  layout: Layout,
  fold: Fold,
  y: number,
  tint: string,
): void {
  ctx.fillStyle = tint;
  let drawnTo = Number.NEGATIVE_INFINITY;
  for (const row of fold.rows) {
    const x = Math.max(layout.left - 20, xOf(layout, view.spans.startNs[row] ?? 0));
    const end = xOf(layout, (view.spans.startNs[row] ?? 0) + (view.spans.durationNs[row] ?? 0));
    const to = Math.max(x + 1, Math.min(end, layout.right + 40));
    // Thousands of calls are a few hundred pixels.
    if (to <= drawnTo) continue;
    const from = Math.max(x, drawnTo);
    ctx.fillRect(from, y, to - from, barPx);
    drawnTo = to;
  }
}

/** Between the calls of a fold, where there is room to see it. */
function drawCuts(
  ctx: CanvasRenderingContext2D,
  { view }: Scene,
  layout: Layout,
  fold: Fold,
  y: number,
  paint: Paint,
): void {
  ctx.fillStyle = paint.role("canvas");
  let before = xOf(layout, fold.startNs);
  for (const row of fold.rows.slice(1)) {
    const x = xOf(layout, view.spans.startNs[row] ?? 0);
    if (x - before < 6) continue;
    ctx.fillRect(Math.round(x) - 1, y, 1.5, barPx);
    before = x;
  }
}

/** The violet line from stay to stay; the bars themselves show those that are too short for it. */
function drawThread(
  ctx: CanvasRenderingContext2D,
  { thread }: Scene,
  layout: Layout,
  scrollTop: number,
  paint: Paint,
): void {
  const { left, right, height } = layout;
  if (thread.count === 0) return;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left - 9, axisPx, right - left + 18, height - axisPx);
  ctx.clip();
  const clampY = (y: number) => Math.min(height + 40, Math.max(axisPx - 40, y));
  const yOf = (line: number) => clampY(barTop(line, scrollTop) + barPx + 3);
  ctx.beginPath();
  let started = false;
  let lastX = Number.NaN;
  let lastY = Number.NaN;
  const to = (x: number, y: number) => {
    if (x === lastX && y === lastY) return;
    if (started) ctx.lineTo(x, y);
    else ctx.moveTo(x, y);
    started = true;
    lastX = x;
    lastY = y;
  };
  const perNs = (right - left) / (layout.window.toNs - layout.window.fromNs);
  for (const stay of staysOf(thread, layout.window.fromNs, layout.window.toNs, leastStayPx / perNs)) {
    const y = yOf(stay.line);
    to(Math.round(Math.max(xOf(layout, stay.fromNs), left - 40) * 2) / 2, y);
    to(Math.round(Math.min(xOf(layout, stay.toNs), right + 40) * 2) / 2, y);
  }
  ctx.strokeStyle = paint.role("accent");
  ctx.lineWidth = 2;
  ctx.lineJoin = "round";
  ctx.stroke();
  ctx.restore();
}

function drawDrag(
  ctx: CanvasRenderingContext2D,
  { height, left, right }: Layout,
  drag: [number, number],
  paint: Paint,
): void {
  const [from, to] = [Math.max(left, Math.min(...drag)), Math.min(right, Math.max(...drag))];
  ctx.fillStyle = paint.series(paint.role("accent"), 0.18);
  ctx.fillRect(from, axisPx, to - from, height);
  ctx.fillStyle = paint.role("accent");
  ctx.fillRect(from, axisPx, 1, height);
  ctx.fillRect(to, axisPx, 1, height);
}

function colourOf({ view, colours }: Scene, row: number): number | string {
  return colours[view.spans.service[row] ?? 0] ?? 9;
}

export function fontOf(paint: Paint, size: number, weight: number): string {
  return `${weight} ${paint.font.replace("11px", `${size}px`)}`;
}

const widths = new Map<string, string>();

/** As much of a text as there is room for, with an ellipsis. */
export function fitted(ctx: CanvasRenderingContext2D, text: string, room: number): string {
  if (room <= 8) return "";
  const key = `${ctx.font} ${Math.floor(room)} ${text}`;
  const known = widths.get(key);
  if (known !== undefined) return known;
  const cut = cutTo(ctx, text.length > 300 ? text.slice(0, 300) : text, room);
  if (widths.size > 5000) widths.clear();
  widths.set(key, cut);
  return cut;
}

function cutTo(ctx: CanvasRenderingContext2D, text: string, room: number): string {
  if (ctx.measureText(text).width <= room) return text;
  let low = 0;
  let high = text.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (ctx.measureText(`${text.slice(0, middle)}…`).width <= room) low = middle;
    else high = middle - 1;
  }
  return low === 0 ? "" : `${text.slice(0, low).trimEnd()}…`;
}

function roundRect(
  ctx: CanvasRenderingContext2D,
  x: number,
  y: number,
  width: number,
  height: number,
  radius: number,
): void {
  ctx.beginPath();
  ctx.roundRect(x, y, width, height, Math.min(radius, width / 2));
}
