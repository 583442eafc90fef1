import { useRef, useState } from "react";
import type { Operation } from "../../api/services";
import { Icon } from "../../components/Icon";
import { TracesLink } from "../../components/TraceLink";
import { useShortcuts } from "../../components/useShortcuts";
import { plural } from "../../lib/number";
import { type Frame, ofOperation, tracesSearch } from "./links";
import { ariaSort, entryOperations, errorLevel, type SortKey, sortedDown, sortRows } from "./rows";
import styles from "./ServicePage.module.css";
import { Trend } from "./Trend";
import { errorsText, latencyText, rateText } from "./words";

interface OperationsProps {
  service: string;
  operations: Operation[];
  frame: Frame;
}

const shownAtFirst = 20;
/** Operations past the limit of a service are counted under this name; no span carries it. */
const otherName = "__other__";

const columns: [key: SortKey, name: string][] = [
  ["name", "Operation"],
  ["rate", "Rate, per s"],
  ["errors", "Errors"],
  ["p50", "p50"],
  ["p95", "p95"],
  ["p99", "p99"],
];

/** What the service does; each leads to its traces, the slowest first. */
export function Operations({ service, operations, frame }: OperationsProps) {
  const [sort, setSort] = useState<{ key: SortKey; reverse: boolean }>({ key: "worst", reverse: false });
  const [all, setAll] = useState(false);
  const body = useRef<HTMLTableSectionElement>(null);
  const move = (by: number) => {
    const links = [...(body.current?.querySelectorAll<HTMLElement>("[data-operation] a") ?? [])];
    const at = links.indexOf(document.activeElement as HTMLElement);
    links[at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + by))]?.focus();
  };
  useShortcuts({ j: () => move(1), k: () => move(-1) });
  const [everyKind, setEveryKind] = useState(false);
  const { entry, others } = entryOperations(operations);
  const named = (everyKind ? operations : entry).map((one) => ({
    ...one,
    name: one.operation,
    operations: 0,
  }));
  const rows = sortRows(named, sort.key, sort.reverse);
  const shown = all ? rows : rows.slice(0, shownAtFirst);
  return (
    <section className={`panel ${styles.panel}`} data-width={12} aria-label="Operations">
      <div className={styles.head}>
        <h2>Operations</h2>
        <span className="text3 small">
          {rows.length}
          {sort.key === "worst" && rows.length > 1 && ", worst first"}
        </span>
        <span className="grow" />
        {others.length > 0 && (
          <button
            type="button"
            className="button button-quiet button-small"
            aria-pressed={everyKind}
            onClick={() => setEveryKind(!everyKind)}
          >
            With its calls and inner spans: {others.length}
          </button>
        )}
      </div>
      {rows.length === 0 ? (
        <p className={styles.empty}>No operation in this time.</p>
      ) : (
        <section className={styles.scroll} tabIndex={0} aria-label="Operations, table">
          <table className={styles.table}>
            <thead>
              <tr>
                {columns.map(([key, name]) => (
                  <th
                    key={key}
                    scope="col"
                    data-column={key}
                    aria-sort={ariaSort(key, sort.key, sort.reverse)}
                  >
                    <button
                      type="button"
                      className={styles.sort}
                      onClick={() => setSort({ key, reverse: key === sort.key ? !sort.reverse : false })}
                    >
                      {name}
                      {sort.key === key && (
                        <span className={sortedDown(key, sort.reverse) ? undefined : styles.up}>
                          <Icon name="down" small />
                        </span>
                      )}
                    </button>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody ref={body}>
              {shown.map((row) => (
                <tr key={`${row.kind} ${row.name}`}>
                  <th scope="row" className={styles.operation} title={row.name} data-operation="">
                    <OperationName service={service} row={row} frame={frame} />
                    <span className={styles.kind}> {row.kind}</span>
                  </th>
                  <td data-column="rate">
                    <Trend values={row.spark?.rate ?? []} label={`Rate of ${row.name}`}>
                      {rateText(row.rate)}
                    </Trend>
                  </td>
                  <td data-column="errors">
                    <Trend
                      values={row.spark?.errors ?? []}
                      label={`Errors of ${row.name}`}
                      level={errorLevel(row.errors)}
                      least={0.01}
                    >
                      {errorsText(row.errors)}
                    </Trend>
                  </td>
                  <td data-column="p50">{latencyText(row.p50_ns)}</td>
                  <td data-column="p95">
                    <Trend values={row.spark?.p95_ns ?? []} label={`p95 latency of ${row.name}`}>
                      {latencyText(row.p95_ns)}
                    </Trend>
                  </td>
                  <td data-column="p99">{latencyText(row.p99_ns)}</td>
                </tr>
              ))}
            </tbody>
          </table>
          {rows.length > shown.length && (
            <p className={styles.more}>
              <button type="button" className="link" onClick={() => setAll(true)}>
                Show all {plural(rows.length, "operation")}
              </button>
            </p>
          )}
        </section>
      )}
    </section>
  );
}

interface OperationNameProps {
  service: string;
  row: Operation;
  frame: Frame;
}

export function OperationName({ service, row, frame }: OperationNameProps) {
  const { operation, kind } = row;
  if (operation === otherName)
    return <span title="Those past 200 operations, together">other operations</span>;
  return (
    <TracesLink
      search={tracesSearch(ofOperation(service, operation, kind), frame, true)}
      className={`mono ${styles.trace}`}
    >
      {operation}
    </TracesLink>
  );
}
