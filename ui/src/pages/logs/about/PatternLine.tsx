import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { LogRecord } from "../../../api/logs";
import { fetchPatterns, type Pattern } from "../../../api/patterns";
import facets from "../../../components/facets/Facets.module.css";
import { Icon } from "../../../components/Icon";
import { formatExact } from "../../../lib/number";
import { bounds } from "../../../lib/query/question";
import { formatMoment } from "../../../lib/time/format";
import { type Zone, zoneLabel } from "../../../lib/time/zone";
import { sentence } from "../../../lib/words";
import patterns from "../patterns/Patterns.module.css";
import { Template } from "../patterns/Template";
import { useRecordActions } from "../RecordActions";
import { encodeLogsView, plainView } from "../url";
import styles from "./About.module.css";
import { momentOf, ownPattern } from "./ownPattern";

interface PatternLineProps {
  record: LogRecord;
  zone: Zone;
  onFilter: (condition: string, exclude: boolean) => void;
}

/** What the record says without the parts that differ, how often that was said, and the way to those records. */
export function PatternLine({ record, zone, onFilter }: PatternLineProps) {
  const moment = momentOf(record);
  const found = useQuery({
    queryKey: ["logs", "pattern of", record.id, record.timestamp],
    queryFn: ({ signal }) => fetchPatterns({ ...(moment ?? plainMoment), limit: 100, buckets: 1 }, signal),
    enabled: moment !== null,
  });
  if (moment === null) return null;
  if (found.error)
    return <p className={styles.note}>Its pattern did not come: {sentence(found.error.message)}</p>;
  if (!found.data) return <p className={`${styles.waiting} skeleton`} />;
  const pattern = ownPattern(found.data, record.id);
  if (!pattern) return <p className={styles.note}>No pattern is known of this record.</p>;
  return <Line pattern={pattern} zone={zone} onFilter={onFilter} />;
}

const plainMoment = { query: "*", start: "", end: "" };

function Line({ pattern, zone, onFilter }: Omit<PatternLineProps, "record"> & { pattern: Pattern }) {
  const condition = `pattern:${pattern.id}`;
  const actions = useRecordActions();
  const span = actions?.span ?? null;
  const counted = useQuery({
    queryKey: ["logs", "pattern count", pattern.id, span],
    queryFn: ({ signal }) =>
      fetchPatterns(
        { query: condition, ...bounds(span ?? { startMs: 0, endMs: 1 }), limit: 1, buckets: 1 },
        signal,
      ),
    enabled: span !== null,
  });
  const inRange = counted.data?.patterns[0];
  const firstMs = Date.parse((inRange ?? pattern).first_seen);
  const range = actions?.range ?? plainView.range;
  return (
    <p className={styles.pattern} data-condition={condition}>
      <span className={styles.label}>Pattern</span>
      <Link
        to="/logs"
        search={encodeLogsView({ ...plainView, query: condition, range, zone })}
        className={`link mono ${styles.template}`}
        title={`Every record of the pattern\n${pattern.template}`}
      >
        <Template template={pattern.template} />
      </Link>
      <span className={styles.seen}>
        {counted.data && (
          <>
            <span className="text1">{formatExact(counted.data.matched)}</span> in this time range,{" "}
          </>
        )}
        first seen {formatMoment(firstMs, zone)} {zoneLabel(zone, firstMs)}
      </span>
      {inRange?.is_new && <span className={`tag ${patterns.fresh}`}>new</span>}
      <span className={styles.tools}>
        <Tool icon="plus" label={`Filter by ${condition}`} onClick={() => onFilter(condition, false)} />
        <Tool icon="minus" label={`Exclude ${condition}`} onClick={() => onFilter(condition, true)} />
      </span>
    </p>
  );
}

function Tool({ icon, label, onClick }: { icon: "plus" | "minus"; label: string; onClick: () => void }) {
  return (
    <button type="button" className={facets.tool} aria-label={label} title={label} onClick={onClick}>
      <Icon name={icon} small />
    </button>
  );
}
