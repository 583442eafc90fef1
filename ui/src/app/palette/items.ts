// What the palette lists for a text: pure, so that the order can be tested.
import type { IconName } from "../../components/Icon";
import { fuzzyMatch } from "../../lib/fuzzy";
import type { MarkRange } from "../../lib/query/terms";

export interface PaletteItem {
  id: string;
  group: string;
  icon: IconName;
  label: string;
  /** The label is query text. */
  mono?: boolean;
  detail?: string;
  keys?: string[];
  /** An error keeps the palette open and is shown there. */
  run: () => void | Promise<void>;
}

export interface ShownItem extends PaletteItem {
  marks: MarkRange[];
}

export interface ShownGroup {
  name: string;
  items: ShownItem[];
}

const perGroup = 8;
/** Of each group, while nothing is typed; of the pages all. */
const perGroupAtFirst = 5;
const everyPage = 20;

/** The items that the text means, in their groups; the group with the best match is first. */
export function matchItems(items: PaletteItem[], text: string, only: string | null): ShownGroup[] {
  const pattern = text.trim();
  const found = items
    .filter((item) => only === null || item.group === only)
    .map((item) => ({ item, match: fuzzyMatch(item.label, pattern) }))
    .filter(({ match }) => match !== null);
  const groups = new Map<string, { best: number; items: ShownItem[] }>();
  const sorted = pattern === "" ? found : found.sort((a, b) => scoreOf(b) - scoreOf(a));
  for (const { item, match } of sorted) {
    const group = groups.get(item.group) ?? { best: match?.score ?? 0, items: [] };
    const atFirst = item.group === "Pages" ? everyPage : perGroupAtFirst;
    const limit = only !== null ? 100 : pattern === "" ? atFirst : perGroup;
    if (group.items.length < limit) group.items.push({ ...item, marks: match?.ranges ?? [] });
    groups.set(item.group, group);
  }
  const shown = [...groups].map(([name, { best, items: members }]) => ({ name, best, items: members }));
  if (pattern !== "") shown.sort((a, b) => b.best - a.best);
  return shown.map(({ name, items: members }) => ({ name, items: members }));
}

function scoreOf({ match }: { match: { score: number } | null }): number {
  return match?.score ?? 0;
}

export type PastedId = { kind: "trace" | "record"; id: string };

/** A trace id or a record id, as it is copied from somewhere else. */
export function pastedId(text: string): PastedId | null {
  const word = text
    .trim()
    .replace(/^(trace_id|id)[:=]\s*/i, "")
    .replace(/^"|"$/g, "");
  if (/^[0-9a-f]{32}$/i.test(word) && !/^0+$/.test(word)) return { kind: "trace", id: word.toLowerCase() };
  if (/^[0-9a-f]{1,8}-[0-9a-f]{1,16}$/i.test(word)) return { kind: "record", id: word.toLowerCase() };
  // W3C traceparent: the trace id is its second part.
  const parent = /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/i.exec(word);
  return parent?.[1] ? { kind: "trace", id: parent[1].toLowerCase() } : null;
}
