import { Link, useNavigate } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useEffect, useRef } from "react";
import type { ServiceSummary } from "../../api/services";
import { Icon } from "../../components/Icon";
import { TracesLink } from "../../components/TraceLink";
import { usePhone } from "../../components/usePhone";
import { useShortcuts } from "../../components/useShortcuts";
import { formatCount } from "../../lib/number";
import { absoluteRange, type Span } from "../../lib/time/range";
import { encodeTimeView } from "../../lib/time/view";
import { logsOf, ofService, tracesSearch } from "./links";
import { ariaSort, errorLevel, type Row, type SortKey, sortedDown } from "./rows";
import styles from "./ServicesTable.module.css";
import { Trend } from "./Trend";
import { encodeMapView, type ServicesView } from "./url";
import { errorsText, latencyText, rateText } from "./words";

export type ServiceRow = ServiceSummary & Row;

interface ServicesTableProps {
  rows: ServiceRow[];
  view: ServicesView;
  span: Span;
  onSort: (key: SortKey) => void;
}

interface Column {
  key: SortKey | "links";
  name: string;
  /** Where there is little room, columns of a high number go first. */
  place: 1 | 2 | 3;
  cell: (row: ServiceRow) => ReactNode;
}

const [rowPx, phoneRowPx] = [36, 44];

/** One row per service; a click on a column's name sorts by it, `j` `k` move, Enter opens. */
export function ServicesTable({ rows, view, span, onSort }: ServicesTableProps) {
  const scroll = useRef<HTMLElement>(null);
  const navigate = useNavigate();
  const size = usePhone() ? phoneRowPx : rowPx;
  const list = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => size,
    overscan: 10,
  });
  const move = (by: number) => {
    const links = [...(scroll.current?.querySelectorAll<HTMLElement>("a[data-service]") ?? [])];
    const at = links.indexOf(document.activeElement as HTMLElement);
    links[at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + by))]?.focus();
  };
  useShortcuts({ j: () => move(1), k: () => move(-1) });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the rows' height is what changed
  useEffect(() => list.measure(), [size]);
  const columns = columnsOf(view, span);
  return (
    <section ref={scroll} className={`panel ${styles.scroll}`} tabIndex={0} aria-label="Services, list">
      <div role="table" aria-label="Services" aria-rowcount={rows.length + 1} className={styles.table}>
        <div role="row" className={`${styles.row} ${styles.head}`}>
          {columns.map(({ key, name, place }) => (
            <span
              key={key}
              role="columnheader"
              data-place={place}
              data-column={key}
              aria-sort={key === "links" ? undefined : ariaSort(key, view.sort, view.reverse)}
            >
              {key === "links" ? (
                <span className="visually-hidden">{name}</span>
              ) : (
                <button type="button" className={styles.sort} onClick={() => onSort(key)}>
                  {name}
                  {view.sort === key && (
                    <span className={sortedDown(key, view.reverse) ? undefined : styles.up}>
                      <Icon name="down" small />
                    </span>
                  )}
                </button>
              )}
            </span>
          ))}
        </div>
        <div role="rowgroup" style={{ position: "relative", height: list.getTotalSize() }}>
          {list.getVirtualItems().map((item) => {
            const row = rows[item.index];
            if (!row) return null;
            const open = () =>
              navigate({
                to: "/services/$service",
                params: { service: row.service },
                search: encodeTimeView(view),
              });
            return (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the link in it does the same by keyboard
              <div
                key={row.service}
                role="row"
                aria-rowindex={item.index + 2}
                className={`${styles.row} ${styles.placed}`}
                style={{ transform: `translateY(${item.start}px)` }}
                onClick={(event) => {
                  if (!(event.target instanceof Element && event.target.closest("a"))) void open();
                }}
              >
                {columns.map(({ key, place, cell }) => (
                  <span
                    key={key}
                    role={key === "name" ? "rowheader" : "cell"}
                    data-place={place}
                    data-column={key}
                  >
                    {cell(row)}
                  </span>
                ))}
              </div>
            );
          })}
        </div>
      </div>
    </section>
  );
}

function columnsOf(view: ServicesView, span: Span): Column[] {
  const frame = { range: absoluteRange(span), zone: view.zone };
  const latency = (key: "p50" | "p99", field: "p50_ns" | "p99_ns"): Column => ({
    key,
    name: key,
    place: 3,
    cell: (row) => <span className="tabular">{latencyText(row[field])}</span>,
  });
  return [
    { key: "name", name: "Service", place: 1, cell: (row) => <Name row={row} view={view} /> },
    {
      key: "rate",
      name: "Rate, per s",
      place: 1,
      cell: ({ service, rate, spark }) => (
        <Trend values={spark.rate} label={`Rate of ${service} over the time range`}>
          {rateText(rate)}
        </Trend>
      ),
    },
    {
      key: "errors",
      name: "Errors",
      place: 1,
      cell: ({ service, errors, spark }) => (
        <Trend
          values={spark.errors}
          label={`Errors of ${service} over the time range`}
          level={errorLevel(errors)}
          least={0.01}
        >
          {errorsText(errors)}
        </Trend>
      ),
    },
    latency("p50", "p50_ns"),
    {
      key: "p95",
      name: "p95",
      place: 1,
      cell: ({ service, p95_ns, spark }) => (
        <Trend values={spark.p95_ns} label={`p95 latency of ${service} over the time range`}>
          {latencyText(p95_ns)}
        </Trend>
      ),
    },
    latency("p99", "p99_ns"),
    {
      key: "operations",
      name: "Operations",
      place: 3,
      cell: (row) => <span className="tabular">{formatCount(row.operations)}</span>,
    },
    {
      key: "links",
      name: "Links",
      place: 2,
      cell: ({ service }) => (
        <span className={styles.links}>
          <TracesLink
            search={tracesSearch([ofService(service)], frame)}
            className={styles.link}
            label={`Traces of ${service}`}
          >
            <Icon name="traces" small />
          </TracesLink>
          <Link
            to="/logs"
            search={logsOf(service, frame)}
            className={styles.link}
            aria-label={`Logs of ${service}`}
            title={`Logs of ${service}`}
          >
            <Icon name="logs" small />
          </Link>
          <Link
            to="/services/map"
            search={encodeMapView({ ...view, node: service, find: "", group: "auto" })}
            className={styles.link}
            aria-label={`${service} on the map`}
            title={`${service} on the map`}
          >
            <Icon name="services" small />
          </Link>
        </span>
      ),
    },
  ];
}

function Name({ row, view }: { row: ServiceRow; view: ServicesView }) {
  return (
    <span className={styles.named}>
      <span className={styles.dot} data-level={errorLevel(row.errors) ?? undefined} aria-hidden="true" />
      <Link
        to="/services/$service"
        params={{ service: row.service }}
        search={encodeTimeView(view)}
        className={styles.name}
        title={row.service}
        data-service=""
      >
        {row.service}
      </Link>
      {!row.entry && (
        <span
          className={styles.inner}
          title="It takes no calls and no messages: its numbers are those of its other spans"
        >
          no entry
        </span>
      )}
    </span>
  );
}
