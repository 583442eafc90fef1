import { errorLevel } from "../rows";
import page from "../ServicePage.module.css";
import { errorsText, latencyText, rateWith, typeNames } from "../words";
import type { Graph, GraphNode } from "./graph";
import styles from "./Map.module.css";

interface MapTablesProps {
  graph: Graph;
  onOpen: (node: GraphNode) => void;
}

/** The map as two tables: what there is, and who calls whom. */
export function MapTables({ graph: { nodes, edges }, onOpen }: MapTablesProps) {
  const names = new Map(nodes.map(({ id, name }) => [id, name]));
  const sortedNodes = [...nodes].sort((a, b) => b.rate - a.rate);
  const sortedEdges = [...edges].sort((a, b) => b.rate - a.rate);
  return (
    <div className={styles.tables}>
      <section className={`panel ${page.scroll}`} tabIndex={0} aria-label="Nodes">
        <table className={page.table} aria-label="Nodes of the map">
          <thead>
            <tr>
              <th scope="col">Node</th>
              <th scope="col">Kind</th>
              <th scope="col">Rate</th>
              <th scope="col">Errors</th>
              <th scope="col">p95</th>
            </tr>
          </thead>
          <tbody>
            {sortedNodes.map((node) => (
              <tr key={node.id}>
                <th scope="row">
                  <button type="button" className="link" onClick={() => onOpen(node)}>
                    {node.name}
                  </button>
                </th>
                <td>{node.type === "group" ? `group of ${node.members.length}` : typeNames[node.type]}</td>
                <td>{rateWith(node.rate, node.type)}</td>
                <td className={page.level} data-level={errorLevel(node.errors) ?? undefined}>
                  {errorsText(node.errors)}
                </td>
                <td>{latencyText(node.p95_ns)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <section className={`panel ${page.scroll}`} tabIndex={0} aria-label="Calls">
        <table className={page.table} aria-label="Calls on the map">
          <thead>
            <tr>
              <th scope="col">Call</th>
              <th scope="col">Rate</th>
              <th scope="col">Errors</th>
              <th scope="col">Caller p95</th>
              <th scope="col">Called p95</th>
              <th scope="col">Gap p95</th>
            </tr>
          </thead>
          <tbody>
            {sortedEdges.map((edge) => (
              <tr key={edge.id}>
                <th scope="row">
                  {names.get(edge.client)} → {names.get(edge.server)}
                </th>
                <td>{rateWith(edge.rate, edge.type)}</td>
                <td className={page.level} data-level={errorLevel(edge.errors) ?? undefined}>
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
    </div>
  );
}
