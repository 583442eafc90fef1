import { type KeyboardEvent, useId, useRef, useState } from "react";
import type { LogRecord } from "../../api/logs";
import { CopyButton } from "../../components/CopyButton";
import { Icon } from "../../components/Icon";
import { TraceLink } from "../../components/TraceLink";
import type { Json } from "../../lib/json";
import type { Term } from "../../lib/query/terms";
import { severityOf, severityRole } from "../../lib/severity";
import { formatDuration } from "../../lib/time/format";
import { absoluteRange } from "../../lib/time/range";
import type { Zone } from "../../lib/time/zone";
import { PatternLine } from "./about/PatternLine";
import { TraceCard } from "./about/TraceCard";
import { Around } from "./around/Around";
import { type Entry, JsonTree } from "./JsonTree";
import styles from "./Record.module.css";
import { RecordJson } from "./RecordJson";
import { ShowInList } from "./ShowInList";
import { encodeLogsView, plainView } from "./url";
import { afterMeasuring } from "./useReveal";

interface RecordProps {
  record: LogRecord;
  zone: Zone;
  /** Words to mark in the lines around. */
  terms?: Term[];
  /** How many columns of the grid it spans. */
  columnCount?: number;
  /** Is it shown among the records of its pattern? */
  ofPattern?: boolean;
  onFilter: (condition: string, exclude: boolean) => void;
  onClose: () => void;
}

const tabs = ["Fields", "JSON", "Around"] as const;
type Tab = (typeof tabs)[number];
const noTerms: Term[] = [];

/** Everything that a record carries, in its row's place: as fields, as JSON, and the lines around it. */
export function Record(props: RecordProps) {
  const { record, zone, terms = noTerms, columnCount = 5, ofPattern = false } = props;
  const { onFilter, onClose } = props;
  const severity = severityOf(record.severity_number);
  const [tab, setTab] = useState<Tab>("Fields");
  const id = useId();
  const panel = useRef<HTMLDivElement>(null);
  const show = (chosen: Tab) => {
    setTab(chosen);
    afterMeasuring(() => panel.current?.scrollIntoView({ block: "nearest" }));
  };
  return (
    <div role="gridcell" aria-colspan={columnCount} className={styles.record}>
      <span
        className={styles.tick}
        style={{ background: `var(--${severityRole[severity]})` }}
        aria-hidden="true"
      />
      <div className={styles.head}>
        <Tabs id={id} tab={tab} onTab={show} />
        <div className={styles.actions}>
          {record.trace_id !== null && (
            <TraceLink traceId={record.trace_id} spanId={record.span_id} className={quiet}>
              <Icon name="traces" small />
              Open trace
            </TraceLink>
          )}
          <ShowInList record={record} />
          <CopyButton text={() => JSON.stringify(record, null, 2)} label="Copy as JSON" className={quiet} />
          <CopyButton text={() => linkTo(record, zone)} label="Copy link" icon="link" className={quiet} />
          <button type="button" className={quiet} onClick={onClose}>
            <Icon name="close" small />
            Close
          </button>
        </div>
      </div>
      <div
        ref={panel}
        role="tabpanel"
        id={`${id}-panel`}
        aria-labelledby={`${id}-${tab}`}
        className={styles.panel}
      >
        {tab === "Fields" && (
          <>
            {!ofPattern && <PatternLine record={record} zone={zone} onFilter={onFilter} />}
            <Fields record={record} onFilter={onFilter} />
          </>
        )}
        {tab === "JSON" && <RecordJson record={record} />}
        {tab === "Around" && <Around record={record} zone={zone} terms={terms} />}
      </div>
    </div>
  );
}

const quiet = "button button-small button-quiet";

interface TabsProps {
  id: string;
  tab: Tab;
  onTab: (tab: Tab) => void;
}

function Tabs({ id, tab, onTab }: TabsProps) {
  const onKey = (event: KeyboardEvent<HTMLDivElement>) => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (by === 0) return;
    event.preventDefault();
    const at = (tabs.indexOf(tab) + by + tabs.length) % tabs.length;
    onTab(tabs[at] ?? "Fields");
    event.currentTarget.querySelectorAll<HTMLElement>("[role=tab]")[at]?.focus();
  };
  return (
    <div role="tablist" aria-label="Record" className={styles.tabs} onKeyDown={onKey}>
      {tabs.map((name) => (
        <button
          key={name}
          type="button"
          role="tab"
          id={`${id}-${name}`}
          aria-selected={tab === name}
          aria-controls={`${id}-panel`}
          tabIndex={tab === name ? 0 : -1}
          className={styles.tab}
          onClick={() => onTab(name)}
        >
          {name}
        </button>
      ))}
    </div>
  );
}

/** What was said at the left, what identifies it at the right. */
function Fields({ record, onFilter }: Pick<RecordProps, "record" | "onFilter">) {
  const delay = delayOf(record);
  return (
    <div className={styles.fields}>
      <JsonTree entries={contentOf(record)} onFilter={onFilter} />
      <div className={styles.side}>
        {record.trace_id !== null && <TraceCard record={record} traceId={record.trace_id} />}
        <JsonTree entries={identityOf(record)} onFilter={onFilter} />
        {delay && <p className="text3 small">{delay}</p>}
      </div>
    </div>
  );
}

function contentOf(record: LogRecord): Entry[] {
  return [
    { key: "body", value: record.body, open: true },
    { key: "attributes", value: record.attributes, open: true },
    { key: "resource", value: record.resource, open: false },
    ...(record.scope ? [{ key: "scope", value: record.scope, open: false }] : []),
  ];
}

function identityOf(record: LogRecord): Entry[] {
  const entries: [key: string, value: Json][] = [
    ["trace_id", record.trace_id],
    ["span_id", record.span_id],
    ["event_name", record.event_name],
    ["severity", record.severity],
    ["severity_number", record.severity_number || null],
    ["timestamp", record.timestamp],
    ["observed_timestamp", record.observed_timestamp],
    ["flags", record.flags || null],
    ["id", record.id],
  ];
  return entries.filter(([, value]) => value !== null).map(([key, value]) => ({ key, value, open: false }));
}

/** How long after the event it was observed, when that is worth knowing. */
function delayOf(record: LogRecord): string | null {
  const ms = Date.parse(record.observed_timestamp ?? "") - Date.parse(record.timestamp);
  return ms >= 1000 ? `Observed ${formatDuration(ms)} after its own time.` : null;
}

/** A link that still shows the record when "the last hour" has moved on: fixed to the minute around it. */
function linkTo(record: LogRecord, zone: Zone): string {
  const ms = Date.parse(record.timestamp);
  const range = absoluteRange({ startMs: ms - 30_000, endMs: ms + 30_000 });
  const link = { id: record.id, time: record.timestamp };
  const search = encodeLogsView({ ...plainView, range, zone, record: link });
  return `${window.location.origin}/logs?${new URLSearchParams(Object.entries(search))}`;
}
