import { Link } from "@tanstack/react-router";
import type { Edge } from "../../api/services";
import { encodeTimeView, type TimeView } from "../../lib/time/view";
import { errorLevel } from "./rows";
import styles from "./ServicePage.module.css";
import { encodeMapView } from "./url";
import { errorsText, latencyText, rateText, typeNames } from "./words";

interface NeighboursProps {
  title: string;
  note: string;
  edges: Edge[];
  /** Which end of an edge is the neighbour. */
  end: "client" | "server";
  view: TimeView;
  absent: string;
}

/** Who calls the service, or whom it calls: as the caller waits, as the called works, and what lies between. */
export function Neighbours({ title, note, edges, end, view, absent }: NeighboursProps) {
  const sorted = [...edges].sort((a, b) => b.rate - a.rate || (a[end] < b[end] ? -1 : 1));
  return (
    <section className={`panel ${styles.panel}`} data-width={6} aria-label={title}>
      <div className={styles.head}>
        <h2>{title}</h2>
        <span className="text3 small">{note}</span>
      </div>
      {sorted.length === 0 ? (
        <p className={styles.empty}>{absent}</p>
      ) : (
        <section className={styles.scroll} tabIndex={0} aria-label={`${title}, table`}>
          <table className={styles.table}>
            <thead>
              <tr>
                <th scope="col">{end === "client" ? "From" : "To"}</th>
                <th scope="col">Rate, per s</th>
                <th scope="col">Errors</th>
                <th scope="col" title="p95, as the caller waits">
                  Caller p95
                </th>
                <th scope="col" title="p95, as the called works">
                  Called p95
                </th>
                <th scope="col" title="p95 of what lies between: network, queues, connections">
                  Gap p95
                </th>
              </tr>
            </thead>
            <tbody>
              {sorted.map((edge) => (
                <tr key={`${edge.type} ${edge[end]}`}>
                  <th scope="row" title={edge[end]}>
                    <Neighbour name={edge[end]} type={end === "client" ? "service" : edge.type} view={view} />
                    {edge.type !== "service" && <span className="text3"> {typeNames[edge.type]}</span>}
                  </th>
                  <td>{rateText(edge.rate)}</td>
                  <td className={styles.level} data-level={errorLevel(edge.errors) ?? undefined}>
                    {errorsText(edge.errors)}
                  </td>
                  <td>{latencyText(edge.client_p95_ns)}</td>
                  <td>{latencyText(edge.server_p95_ns)}</td>
                  <td>{latencyText(edge.gap_p95_ns)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </section>
  );
}

/** Services have pages; databases, queues and externals are on the map. */
export function Neighbour({ name, type, view }: { name: string; type: Edge["type"]; view: TimeView }) {
  return type === "service" ? (
    <Link
      to="/services/$service"
      params={{ service: name }}
      search={encodeTimeView(view)}
      className={styles.neighbour}
    >
      {name}
    </Link>
  ) : (
    <Link
      to="/services/map"
      search={encodeMapView({ ...view, node: name, find: "", group: "auto" })}
      className={styles.neighbour}
    >
      {name}
    </Link>
  );
}
