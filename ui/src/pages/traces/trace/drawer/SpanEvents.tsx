import type { SpanDetail } from "../../../../api/traces";
import { plural } from "../../../../lib/number";
import { formatClockMs } from "../../../../lib/time/format";
import { formatNanos } from "../../../../lib/time/nanosText";
import type { Zone } from "../../../../lib/time/zone";
import { Pair } from "./Attributes";
import styles from "./SpanDrawer.module.css";

/** What the program noted while the span ran; exceptions stand out. */
export function SpanEvents({ span, zone }: { span: SpanDetail; zone: Zone }) {
  if (span.events.length === 0)
    return (
      <p className={styles.note}>
        This span has no events.
        {span.dropped.events > 0 &&
          ` The program dropped ${plural(span.dropped.events, "of them", "of them")}.`}
      </p>
    );
  return (
    <>
      <ol className={styles.events}>
        {span.events.map((event, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: events of one instant may have one name, and none moves
          <li key={at} data-exception={event.name === "exception"}>
            <div className={styles.event}>
              <span className="text1">{event.name}</span>
              <span className="tabular">
                {event.offset_ns >= 0 ? "+" : ""}
                {formatNanos(event.offset_ns)}
              </span>
              <span className="text3 tabular">{formatClockMs(Date.parse(event.time), zone)}</span>
            </div>
            <dl className={styles.pairs}>
              {Object.entries(event.attributes).map(([name, value]) => (
                <Pair key={name} name={name} value={value} condition={null} />
              ))}
            </dl>
          </li>
        ))}
      </ol>
      {span.dropped.events > 0 && (
        <p className={styles.note}>The program dropped {plural(span.dropped.events, "more event")}.</p>
      )}
    </>
  );
}
