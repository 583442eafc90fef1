import type { HistogramAnswer } from "../../api/logs";
import { formatTick } from "../../lib/number";
import { tickLabel, timeTicks, valueTicks } from "../../lib/scale";
import { severityRole } from "../../lib/severity";
import type { Zone } from "../../lib/time/zone";
import type { Role } from "../../theme/tokens";
import { type Area, axisMax, histogramSpan, layoutBars } from "./histogram";
import { type Marker, markerText } from "./markers";

export const margin = { left: 44, right: 12, top: 8, bottom: 20 };
/** Room for what a marker says. */
const markerTextPx = 14;

export function plotArea(width: number, height: number, hasMarkers = false): Area {
  const top = margin.top + (hasMarkers ? markerTextPx : 0);
  return {
    left: margin.left,
    top,
    width: Math.max(1, width - margin.left - margin.right),
    height: height - top - margin.bottom,
  };
}

export interface Drawing {
  answer: HistogramAnswer;
  markers: Marker[];
  zone: Zone;
}

/** Draws grid, bars, axes and markers. Colours are read from the page, so the drawing follows the scheme. */
export function drawHistogram(canvas: HTMLCanvasElement, { answer, markers, zone }: Drawing): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const ratio = window.devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  const style = getComputedStyle(canvas);
  const colour = (role: Role): string => style.getPropertyValue(`--${role}`);
  context.font = `11px ${style.getPropertyValue("--font-sans")}`;

  const area = plotArea(width, height, markers.length > 0);
  const max = axisMax(answer);
  drawValueAxis(context, area, max, colour);
  for (const bar of layoutBars(answer, area, max)) {
    context.fillStyle = colour(severityRole[bar.severity]);
    context.fillRect(bar.x, bar.y, bar.width, bar.height);
  }
  drawTimeAxis(context, area, answer, zone, colour);
  drawMarkers(context, area, { answer, markers, zone }, colour);
}

type Colour = (role: Role) => string;

function drawValueAxis(context: CanvasRenderingContext2D, area: Area, max: number, colour: Colour): void {
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const value of valueTicks(max / 1.05)) {
    const y = Math.round(area.top + area.height * (1 - value / max)) + 0.5;
    context.fillStyle = colour(value === 0 ? "line-strong" : "grid");
    context.fillRect(area.left, y - 0.5, area.width, 1);
    context.fillStyle = colour("text-3");
    context.fillText(formatTick(value), area.left - 6, y);
  }
}

function drawTimeAxis(
  context: CanvasRenderingContext2D,
  area: Area,
  answer: HistogramAnswer,
  zone: Zone,
  colour: Colour,
): void {
  const span = histogramSpan(answer);
  const { ticks, stepMs } = timeTicks(
    span.startMs,
    span.endMs,
    Math.max(4, Math.floor(area.width / 140)),
    zone,
  );
  context.fillStyle = colour("text-3");
  context.textAlign = "center";
  context.textBaseline = "alphabetic";
  for (const tick of ticks) {
    const x = area.left + ((tick - span.startMs) / (span.endMs - span.startMs)) * area.width;
    if (x < area.left + 20 || x > area.left + area.width - 20) continue;
    context.fillText(tickLabel(tick, stepMs, zone), x, area.top + area.height + 15);
  }
}

/** As charts have them: a dotted line with a triangle on the axis; one of them with its words. */
function drawMarkers(
  context: CanvasRenderingContext2D,
  area: Area,
  { answer, markers, zone }: Drawing,
  colour: Colour,
): void {
  const { startMs, endMs } = histogramSpan(answer);
  const bottom = area.top + area.height;
  for (const marker of markers) {
    const x = Math.round(area.left + ((marker.ms - startMs) / (endMs - startMs)) * area.width) + 0.5;
    const top = marker.important ? margin.top : area.top;
    context.strokeStyle = colour("text-2");
    context.setLineDash([2, 2]);
    context.beginPath();
    context.moveTo(x, top);
    context.lineTo(x, bottom);
    context.stroke();
    context.setLineDash([]);
    context.fillStyle = colour(marker.kind === "alert" ? "crit-mark" : "text-2");
    context.beginPath();
    context.moveTo(x, bottom - 6);
    context.lineTo(x - 4, bottom);
    context.lineTo(x + 4, bottom);
    context.fill();
    if (marker.important) drawWords(context, area, x, markerText(marker, zone), colour);
  }
}

/** On the side that has more room, and only what fits there. */
function drawWords(
  context: CanvasRenderingContext2D,
  area: Area,
  x: number,
  text: string,
  colour: Colour,
): void {
  const right = area.left + area.width - x;
  const left = x - area.left;
  const isLeft = left > right;
  const room = Math.max(left, right) - 8;
  context.fillStyle = colour("text");
  context.textAlign = isLeft ? "right" : "left";
  context.textBaseline = "top";
  let shown = text;
  while (shown.length > 12 && context.measureText(`${shown}…`).width > room) shown = shown.slice(0, -1);
  context.fillText(shown === text ? text : `${shown}…`, x + (isLeft ? -5 : 5), margin.top - 2);
}
