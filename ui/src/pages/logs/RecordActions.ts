// What the page lets a person do with a record's fields and with the record, wherever one is shown.
import { createContext, useContext } from "react";
import type { LogRecord } from "../../api/logs";
import type { Range, Span } from "../../lib/time/range";

export interface RecordActions {
  /** The page's, for links to its other records. */
  range: Range;
  /** The same as instants; null in the live tail. */
  span: Span | null;
  hasColumn: (field: string) => boolean;
  toggleColumn: (field: string) => void;
  hasFacet: (field: string) => boolean;
  toggleFacet: (field: string) => void;
  /** Every record around this one, as the page's list; rejects when the collector does not answer. */
  showInList: (record: LogRecord) => Promise<void>;
}

export const RecordActionsContext = createContext<RecordActions | null>(null);

/** null: there are no columns, facets and list to act on. */
export function useRecordActions(): RecordActions | null {
  return useContext(RecordActionsContext);
}
