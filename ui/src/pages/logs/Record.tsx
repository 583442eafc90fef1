import type { LogRecord } from "../../api/logs";
import { CopyButton } from "../../components/CopyButton";
import { Icon } from "../../components/Icon";
import type { Json } from "../../lib/json";
import { severityOf, severityRole } from "../../lib/severity";
import { formatDuration } from "../../lib/time/format";
import { absoluteRange } from "../../lib/time/range";
import type { Zone } from "../../lib/time/zone";
import { type Entry, JsonTree } from "./JsonTree";
import styles from "./Record.module.css";
import { encodeLogsView, plainView } from "./url";

interface RecordProps {
  record: LogRecord;
  zone: Zone;
  onFilter: (condition: string, exclude: boolean) => void;
  onClose: () => void;
}

/** Everything that a record carries, in its row's place: what was said at the left, what identifies it at the right. */
export function Record({ record, zone, onFilter, onClose }: RecordProps) {
  const severity = severityOf(record.severity_number);
  const delay = delayOf(record);
  return (
    <div role="gridcell" aria-colspan={5} className={styles.record}>
      <span
        className={styles.tick}
        style={{ background: `var(--${severityRole[severity]})` }}
        aria-hidden="true"
      />
      <JsonTree entries={contentOf(record)} onFilter={onFilter} />
      <div className={styles.side}>
        <div className={styles.actions}>
          <CopyButton text={() => JSON.stringify(record, null, 2)} label="Copy as JSON" />
          <CopyButton text={() => linkTo(record, zone)} label="Copy link" icon="link" />
          <button type="button" className="button button-small button-quiet" onClick={onClose}>
            <Icon name="close" small />
            Close
          </button>
        </div>
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
