import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { fetchSpanCounts } from "../../api/services";
import { TracesLink } from "../../components/TraceLink";
import { formatCount } from "../../lib/number";
import { fieldCondition } from "../../lib/query/edit";
import { absoluteRange, type Span } from "../../lib/time/range";
import { encodeTimeView, type TimeView } from "../../lib/time/view";
import styles from "./HostPage.module.css";

interface HostServicesProps {
  host: string;
  span: Span;
  view: TimeView;
  generation: number;
}

/** The services that sent spans from this host; a host without any says nothing about it. */
export function HostServices({ host, span, view, generation }: HostServicesProps) {
  const condition = fieldCondition("host", host);
  const within = { start: new Date(span.startMs).toISOString(), end: new Date(span.endMs).toISOString() };
  const { data } = useQuery({
    queryKey: ["services", "host", condition, within, generation],
    queryFn: ({ signal }) => fetchSpanCounts("service", condition, within, signal),
    placeholderData: keepPreviousData,
  });
  if (!data || data.length === 0) return null;
  const traces = { query: condition, ...encodeTimeView({ ...view, range: absoluteRange(span) }) };
  return (
    <section className={`panel ${styles.chart} ${styles.low}`} data-width={12} aria-label="Services">
      <div className={styles.head}>
        <h2>Services</h2>
        <span className={styles.sub}>by the spans that they sent from here</span>
        <span className="grow" />
        <TracesLink search={traces} className="link small">
          Traces of this host
        </TracesLink>
      </div>
      <ul className={styles.services}>
        {data.map(({ value: service, count }) => (
          <li key={service}>
            <Link
              to="/services/$service"
              params={{ service }}
              search={encodeTimeView(view)}
              className="button button-small"
            >
              {service}
              <span className="text3 tabular">{formatCount(count)}</span>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}
