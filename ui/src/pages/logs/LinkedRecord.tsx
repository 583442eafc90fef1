import { Message } from "../../components/Message";
import { formatMoment } from "../../lib/time/format";
import { type Zone, zoneLabel } from "../../lib/time/zone";
import { sentence } from "../../lib/words";
import styles from "./LinkedRecord.module.css";
import { Record } from "./Record";
import type { RecordLink } from "./url";
import { useLinkedRecord } from "./useLogs";

interface LinkedRecordProps {
  link: RecordLink;
  zone: Zone;
  onFilter: (condition: string, exclude: boolean) => void;
  onClose: () => void;
}

/** The record that the URL names, when it is not among the loaded rows. */
export function LinkedRecord({ link, zone, onFilter, onClose }: LinkedRecordProps) {
  const found = useLinkedRecord(link);
  if (found.isPending) return null;
  if (!found.data) {
    return (
      <Message
        title="The linked record is not here"
        actions={
          <button type="button" className="button" onClick={onClose}>
            Close
          </button>
        }
      >
        {found.error
          ? sentence(found.error.message)
          : `No record ${link.id} at ${link.time}: it is older than the retention, or it belongs to another tenant.`}
      </Message>
    );
  }
  const ms = Date.parse(found.data.timestamp);
  return (
    <section className={styles.section} aria-label="Linked record">
      <h2 className={styles.title}>
        Linked record, {formatMoment(ms, zone)} {zoneLabel(zone, ms)}
      </h2>
      <div role="grid" tabIndex={0} aria-label="Linked record">
        <div role="row">
          <Record record={found.data} zone={zone} onFilter={onFilter} onClose={onClose} />
        </div>
      </div>
    </section>
  );
}
