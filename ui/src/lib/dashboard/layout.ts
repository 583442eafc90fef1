// Where panels stand once variables are known: repeated panels and rows, then rows of a grid without holes.
import { interpolate, type Scope, type VariableValue } from "./interpolate";
import type { Dashboard, GridPos, Panel, Section } from "./model";

export interface PlacedPanel {
  key: string;
  panel: Panel;
  title: string;
  grid: GridPos;
  /** Variables that have one value here. */
  scope: Scope;
}

export interface PlacedSection {
  key: string;
  title: string | null;
  collapsed: boolean;
  panels: PlacedPanel[];
}

const columns = 24;
/** More of one panel is no dashboard but a list. */
const maxRepeats = 50;

export function placeSections(dashboard: Dashboard, scope: Scope): PlacedSection[] {
  return dashboard.sections.flatMap((section) => {
    const repeat = section.row?.repeat;
    const value = repeat ? scope.get(repeat) : undefined;
    if (!repeat || !value || value.values.length === 0) return [placeSection(section, section.key, scope)];
    return value.values
      .slice(0, maxRepeats)
      .map((one, at) => placeSection(section, `${section.key} ${at}`, withValue(scope, repeat, value, one)));
  });
}

function placeSection(section: Section, key: string, scope: Scope): PlacedSection {
  return {
    key,
    title: section.row ? interpolate(section.row.title, scope, null, "text") : null,
    collapsed: section.row?.collapsed ?? false,
    panels: placePanels(section.panels, key, scope),
  };
}

function placePanels(panels: Panel[], section: string, scope: Scope): PlacedPanel[] {
  const top = Math.min(...panels.map(({ grid }) => grid.y));
  const placed: PlacedPanel[] = [];
  // What a repetition needed beyond the place of its panel moves everything below it.
  let moved = 0;
  for (const panel of [...panels].sort((a, b) => a.grid.y - b.grid.y || a.grid.x - b.grid.x)) {
    const y = panel.grid.y - top + moved;
    const key = `${section} ${panel.key}`;
    const value = panel.repeat ? scope.get(panel.repeat.variable) : undefined;
    if (!panel.repeat || !value || value.values.length === 0) {
      placed.push(placeOne(panel, key, { ...panel.grid, y }, scope));
      continue;
    }
    const values = value.values.slice(0, maxRepeats);
    const { variable, direction, maxPerRow } = panel.repeat;
    const perRow = direction === "v" ? 1 : Math.min(maxPerRow, values.length);
    const w = direction === "v" ? panel.grid.w : Math.floor(columns / perRow);
    for (const [at, one] of values.entries()) {
      const grid = {
        x: direction === "v" ? panel.grid.x : (at % perRow) * w,
        y: y + Math.floor(at / perRow) * panel.grid.h,
        w,
        h: panel.grid.h,
      };
      placed.push(placeOne(panel, `${key} ${at}`, grid, withValue(scope, variable, value, one)));
    }
    moved += (Math.ceil(values.length / perRow) - 1) * panel.grid.h;
  }
  return withoutOverlap(placed);
}

function placeOne(panel: Panel, key: string, grid: GridPos, scope: Scope): PlacedPanel {
  return { key, panel, title: interpolate(panel.title, scope, null, "text"), grid, scope };
}

function withValue(scope: Scope, name: string, { many }: VariableValue, value: string): Scope {
  return new Map(scope).set(name, { values: [value], many, whole: null, text: value });
}

/** Panels of hand-made files lie upon each other; the later one moves down. */
function withoutOverlap(placed: PlacedPanel[]): PlacedPanel[] {
  const done: PlacedPanel[] = [];
  for (const one of placed) {
    let grid = one.grid;
    for (let tries = 0; tries < placed.length; tries += 1) {
      const other = done.find((before) => overlaps(before.grid, grid));
      if (!other) break;
      grid = { ...grid, y: other.grid.y + other.grid.h };
    }
    done.push({ ...one, grid });
  }
  return done;
}

function overlaps(a: GridPos, b: GridPos): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}
