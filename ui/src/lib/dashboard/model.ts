// A dashboard as this app draws it. Read from Grafana's classic JSON, which stays the one that is kept and edited.

/** Where in the JSON something stands. */
export type Path = (string | number)[];

export interface Dashboard {
  uid: string | null;
  title: string;
  tags: string[];
  description: string;
  /** In our form of a range; null where the file has none that we can read. */
  range: { from: string; to: string } | null;
  refreshS: number | null;
  variables: Variable[];
  sections: Section[];
  /** What the file needs and this app does not draw or do. */
  lacking: Lacking[];
}

export interface Lacking {
  /** The panel's title; null: the whole dashboard. */
  panel: string | null;
  what: string;
}

/** The panels below one row; those above the first row have none. */
export interface Section {
  key: string;
  row: { title: string; collapsed: boolean; repeat: string | null } | null;
  panels: Panel[];
}

export type PanelKind =
  | "timeseries"
  | "stat"
  | "gauge"
  | "bargauge"
  | "table"
  | "text"
  | "logs"
  /** Kept in the file, named as lacking. */
  | "other";

/** In the 24 columns and the row units of the file. */
export interface GridPos {
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface Panel {
  key: string;
  id: number | null;
  path: Path;
  kind: PanelKind;
  /** As the file says: "graph", "heatmap". */
  type: string;
  title: string;
  description: string;
  grid: GridPos;
  targets: Target[];
  field: FieldStyle;
  overrides: Override[];
  legend: "auto" | "list" | "table" | "hidden";
  /** What is made of the values over time: "lastNotNull", "mean"; of stats, gauges and reduced tables. */
  calc: string;
  orientation: "auto" | "horizontal" | "vertical";
  /** What a stat says beside its value. */
  textMode: "auto" | "value" | "name" | "value_and_name" | "none";
  spark: boolean;
  colourMode: "value" | "background" | "none";
  /** The label whose values order the rows; of tables. */
  sortBy: { field: string; desc: boolean } | null;
  transformations: Transformation[];
  content: { markdown: string } | null;
  repeat: { variable: string; direction: "h" | "v"; maxPerRow: number } | null;
  minIntervalS: number | null;
}

export type Datasource = { kind: "prometheus" } | { kind: "logs" } | { kind: "other"; name: string };

export interface Target {
  refId: string;
  datasource: Datasource;
  /** PromQL, or a query of logs; empty for other kinds. */
  expr: string;
  legend: string;
  instant: boolean;
  table: boolean;
  hidden: boolean;
  /** Are exemplars asked for? Null: by the look of the query. */
  exemplars: boolean | null;
  /** A step that may hold variables; empty: by the panel's width. */
  interval: string;
  path: Path;
}

export interface ThresholdStep {
  /** Null: from the very bottom. */
  value: number | null;
  colour: string;
}

export interface Mapping {
  match:
    | { kind: "value"; value: string }
    | { kind: "range"; from: number | null; to: number | null }
    | { kind: "regex"; pattern: string }
    | { kind: "special"; what: string };
  text: string | null;
  colour: string | null;
}

export interface FieldStyle {
  unit: string;
  decimals: number | undefined;
  min: number | undefined;
  max: number | undefined;
  thresholds: { percent: boolean; steps: ThresholdStep[] };
  mappings: Mapping[];
  displayName: string | null;
  noValue: string | null;
  /** A colour for everything; null: by the palette or the thresholds. */
  fixedColour: string | null;
  byThresholds: boolean;
  draw: "lines" | "bars" | "points";
  /** 0 to 1; null: as the chart likes. */
  fill: number | null;
  lineWidth: number | undefined;
  stack: boolean;
  percentStack: boolean;
  steps: boolean;
  log: boolean;
  negative: boolean;
  showThresholds: boolean;
  hidden: boolean;
  align: "left" | "right" | "center" | null;
}

export interface Override {
  matcher:
    | { kind: "name"; name: string }
    | { kind: "regex"; pattern: string }
    | { kind: "refId"; refId: string }
    | { kind: "type"; type: string };
  style: Partial<FieldStyle>;
}

export type Transformation =
  | { kind: "merge" }
  | { kind: "labelsToFields" }
  | { kind: "join"; field: string }
  | {
      kind: "organize";
      exclude: Set<string>;
      rename: Map<string, string>;
      order: Map<string, number>;
    }
  | { kind: "sort"; field: string; desc: boolean }
  | { kind: "limit"; count: number }
  | { kind: "rename"; pattern: string; to: string }
  | { kind: "keep"; names: Set<string>; pattern: string | null };

export interface Choice {
  text: string;
  value: string;
}

export type VariableKind =
  | "query"
  | "custom"
  | "interval"
  | "constant"
  | "textbox"
  | "datasource"
  /** Kept in the file, named as lacking. */
  | "other";

export type VariableQuery =
  | { kind: "values"; label: string; selector: string | null }
  | { kind: "names" }
  | { kind: "metrics"; pattern: string }
  | { kind: "result"; expr: string };

export interface Variable {
  name: string;
  label: string;
  kind: VariableKind;
  type: string;
  shown: "all" | "value" | "none";
  multi: boolean;
  includeAll: boolean;
  allValue: string | null;
  regex: string;
  sort: number;
  /** Asked for again when the time range changes. */
  onTime: boolean;
  query: VariableQuery | null;
  /** Of a query, as it stands in the file. */
  datasource: Datasource;
  /** Of custom and interval variables. */
  choices: Choice[];
  /** Of an interval: how many steps "auto" makes of the range, and not below what. */
  auto: { count: number; leastS: number } | null;
  /** What the file was saved with. */
  current: string[];
}

/** How a URL and a file say "all of them". */
export const allValue = "$__all";
export const autoValue = "$__auto";
