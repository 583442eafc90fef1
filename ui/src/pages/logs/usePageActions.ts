import { useMemo, useRef } from "react";
import { fetchContext } from "../../api/context";
import type { LogRecord } from "../../api/logs";
import { usePreferences } from "../../components/usePreferences";
import { readPreferences, writePreferences } from "../../lib/preferences";
import { absoluteRange, type Span } from "../../lib/time/range";
import { hasColumn, toggleColumn } from "./columns";
import type { RecordActions } from "./RecordActions";
import type { LogsView } from "./url";

const newerLines = 20;
const listMs = 15 * 60_000;

/** What the logs page does for a record that is open. `facets` are the fields of the facets on the page. */
export function usePageActions(
  view: LogsView,
  span: Span | null,
  facets: string[],
  onChange: (change: Partial<LogsView>) => void,
): RecordActions {
  const { columns, range } = view;
  const chosen = usePreferences().facets ?? facets;
  const latest = useRef({ columns, chosen, onChange });
  latest.current = { columns, chosen, onChange };
  return useMemo(
    () => ({
      range,
      span,
      hasColumn: (field) => hasColumn(columns, field),
      toggleColumn: (field) =>
        latest.current.onChange({ columns: toggleColumn(latest.current.columns, field) }),
      hasFacet: (field) => chosen.includes(field),
      toggleFacet: (field) => {
        const now = readPreferences().facets ?? latest.current.chosen;
        const others = now.filter((name) => name !== field);
        writePreferences({
          facets: others.length < now.length ? others : [...now, field],
          facetsShown: true,
          facetsFolded: readPreferences().facetsFolded.filter((name) => name !== field),
        });
      },
      showInList: async (record) => latest.current.onChange(await listAround(record)),
    }),
    [columns, chosen, range, span],
  );
}

/** Every record up to a few newer ones, so that this one is among the first rows. */
async function listAround(record: LogRecord): Promise<Partial<LogsView>> {
  const { after } = await fetchContext({ id: record.id, before: 0, after: newerLines, same: "none" });
  const endMs = Date.parse(after.at(-1)?.timestamp ?? record.timestamp) + 1;
  return {
    query: "",
    range: absoluteRange({ startMs: Date.parse(record.timestamp) - listMs, endMs }),
    order: "newest",
    tab: "records",
    record: { id: record.id, time: record.timestamp },
  };
}
