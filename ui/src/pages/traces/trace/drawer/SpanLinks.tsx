import { Link } from "@tanstack/react-router";
import type { SpanDetail } from "../../../../api/traces";
import { plural } from "../../../../lib/number";
import { shortId } from "../shortId";
import { Pair } from "./Attributes";
import styles from "./SpanDrawer.module.css";

/** Spans of this or other traces that have to do with this one. */
export function SpanLinks({ span }: { span: SpanDetail }) {
  if (span.links.length === 0) return <p className={styles.note}>This span has no links to other traces.</p>;
  return (
    <>
      <ol className={styles.events}>
        {span.links.map((link, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: two links may lead to one span, and none moves
          <li key={at}>
            <div className={styles.event}>
              {link.trace_id === null ? (
                <span>A link without a trace id</span>
              ) : (
                <Link
                  to="/traces/$traceId"
                  params={{ traceId: link.trace_id }}
                  search={link.span_id === null ? {} : { span: link.span_id }}
                  className="link mono"
                >
                  {link.trace_id === span.trace_id ? "this trace" : `trace ${shortId(link.trace_id)}`}
                  {link.span_id !== null && `, span ${link.span_id}`}
                </Link>
              )}
            </div>
            <dl className={styles.pairs}>
              {Object.entries(link.attributes).map(([name, value]) => (
                <Pair key={name} name={name} value={value} condition={null} />
              ))}
            </dl>
          </li>
        ))}
      </ol>
      {span.dropped.links > 0 && (
        <p className={styles.note}>The program dropped {plural(span.dropped.links, "more link")}.</p>
      )}
    </>
  );
}
