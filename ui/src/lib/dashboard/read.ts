// From a file to a dashboard. Three wrappings are known: bare, `{"dashboard": …}`, and the V1 resource.
import { type Known, knownDatasources } from "./datasource";
import { durationS, type Fields, fieldsOf, isFields, listOf, numberOf, textOf, textsOf } from "./json";
import { Notes } from "./lacking";
import type { Dashboard, GridPos, Panel, Path, Section } from "./model";
import { readPanel } from "./panels";
import { readVariable } from "./variables";

/** Why a text is no dashboard; the message says what to do. */
export class NoDashboard extends Error {}

/** The way from the file's top to the dashboard itself. */
export function dashboardPath(file: unknown): Path {
  if (!isFields(file)) throw new NoDashboard("a dashboard is a JSON object");
  const version = textOf(file.apiVersion);
  if (version.startsWith("dashboard.grafana.app/")) {
    const spec = fieldsOf(file.spec);
    if (/\/v2/.test(version) || isFields(spec.elements))
      throw new NoDashboard(
        "this is Grafana's V2 schema, which cannot be read yet: export it as “Classic”, or as a V1 resource",
      );
    return ["spec"];
  }
  if (isFields(file.dashboard)) return ["dashboard"];
  if (isFields(file.elements) && file.layout !== undefined)
    throw new NoDashboard("this is Grafana's V2 schema, which cannot be read yet: export it as “Classic”");
  return [];
}

/** `file` as it was parsed; throws NoDashboard. */
export function readDashboard(file: unknown): Dashboard {
  const source = fieldsOf(dashboardPath(file).reduce<unknown>((at, name) => fieldsOf(at)[name], file));
  if (source.title === undefined && source.panels === undefined && source.rows === undefined)
    throw new NoDashboard("there is neither a title nor a panel in it: is this a dashboard of Grafana?");
  const notes = new Notes();
  const known = knownDatasources(source);
  const variables = listOf(fieldsOf(source.templating).list).map((one) =>
    readVariable(one, known, notes.of(null)),
  );
  noteRest(source, notes);
  const metadata = fieldsOf(fieldsOf(file).metadata);
  const sections =
    listOf(source.rows).length > 0 && listOf(source.panels).length === 0
      ? oldRows(source, known, notes)
      : sectionsOf(source, known, notes);
  distinguish(sections);
  return {
    uid: textOf(source.uid) || textOf(metadata.name) || null,
    title: textOf(source.title) || "Untitled",
    tags: textsOf(source.tags),
    description: textOf(source.description),
    range: rangeOf(source.time),
    refreshS: refreshOf(source.refresh),
    variables,
    sections,
    lacking: notes.list(),
  };
}

/** Hand-made files have ids twice. */
function distinguish(sections: Section[]): void {
  const seen = new Set<string>();
  for (const { panels } of sections)
    for (const panel of panels) {
      if (seen.has(panel.key)) panel.key = panel.path.join(".");
      seen.add(panel.key);
    }
}

function noteRest(source: Fields, notes: Notes): void {
  for (const one of listOf(fieldsOf(source.annotations).list).map(fieldsOf)) {
    const builtIn = one.builtIn === 1 || textOf(one.name) === "Annotations & Alerts";
    if (!builtIn && one.enable !== false) notes.add(null, `annotations “${textOf(one.name, "?")}”`);
  }
  for (const one of listOf(source.links).map(fieldsOf))
    notes.add(null, `the link “${textOf(one.title) || textOf(one.type, "?")}”`);
}

/** "now-6h" and "now"; Grafana also rounds ("now/d") and writes instants as text. */
function rangeOf(time: unknown): Dashboard["range"] {
  const { from, to } = fieldsOf(time);
  const bound = (value: unknown): string | null => {
    const text = typeof value === "number" ? new Date(value).toISOString() : textOf(value);
    if (/^now(-\d+[smhdw])?$/.test(text)) return text;
    const ms = Date.parse(text);
    return Number.isNaN(ms) ? null : new Date(ms).toISOString();
  };
  const [start, end] = [bound(from), bound(to)];
  return start !== null && end !== null ? { from: start, to: end } : null;
}

function refreshOf(value: unknown): number | null {
  const seconds = durationS(textOf(value));
  return seconds === null ? null : Math.max(1, Math.round(seconds));
}

/** Panels in the order of the file; a row begins a section, and holds its panels itself while it is folded. */
function sectionsOf(source: Fields, known: Known, notes: Notes): Section[] {
  const sections: Section[] = [{ key: "top", row: null, panels: [] }];
  const panels = listOf(source.panels)
    .map((one, at) => ({ fields: fieldsOf(one), path: ["panels", at] as Path }))
    .sort((a, b) => placeOf(a.fields) - placeOf(b.fields));
  for (const { fields, path } of panels) {
    if (fields.type !== "row") {
      sections.at(-1)?.panels.push(readPanel(fields, path, gridOf(fields), known, notes));
      continue;
    }
    const inside = listOf(fields.panels).map((one, at): Panel => {
      const inner = fieldsOf(one);
      return readPanel(inner, [...path, "panels", at], gridOf(inner), known, notes);
    });
    sections.push({
      key: `row ${numberOf(fields.id) ?? path.join(".")}`,
      row: {
        title: textOf(fields.title),
        collapsed: fields.collapsed === true,
        repeat: textOf(fields.repeat).replace(/^\$/, "") || null,
      },
      panels: inside,
    });
  }
  return sections.filter(({ row, panels: inside }) => row !== null || inside.length > 0);
}

function placeOf(panel: Fields): number {
  const { y, x } = fieldsOf(panel.gridPos);
  return (numberOf(y) ?? 0) * 100 + (numberOf(x) ?? 0);
}

function gridOf(panel: Fields): GridPos {
  const { x, y, w, h } = fieldsOf(panel.gridPos);
  const width = Math.min(24, Math.max(1, Math.round(numberOf(w) ?? 12)));
  return {
    x: Math.min(24 - width, Math.max(0, Math.round(numberOf(x) ?? 0))),
    y: Math.max(0, Math.round(numberOf(y) ?? 0)),
    w: width,
    h: Math.min(100, Math.max(1, Math.round(numberOf(h) ?? 8))),
  };
}

/** Of Grafana 1 to 4: rows with panels whose width is of twelve, one after the other. */
function oldRows(source: Fields, known: Known, notes: Notes): Section[] {
  return listOf(source.rows).map((one, at): Section => {
    const row = fieldsOf(one);
    const height = numberOf(textOf(row.height).replace("px", "")) ?? numberOf(row.height) ?? 250;
    const h = Math.max(3, Math.round(height / 36));
    let x = 0;
    let y = 0;
    const panels = listOf(row.panels).map((inner, index): Panel => {
      const fields = fieldsOf(inner);
      const w = Math.min(24, Math.max(1, (numberOf(fields.span) ?? 4) * 2));
      if (x + w > 24) {
        x = 0;
        y += h;
      }
      const panel = readPanel(fields, ["rows", at, "panels", index], { x, y, w, h }, known, notes);
      x += w;
      return panel;
    });
    const titled = row.showTitle === true || row.collapse === true;
    return {
      key: `row ${at}`,
      row:
        titled || textOf(row.repeat) !== ""
          ? {
              title: textOf(row.title),
              collapsed: row.collapse === true,
              repeat: textOf(row.repeat).replace(/^\$/, "") || null,
            }
          : null,
      panels,
    };
  });
}
