import { Link } from "@tanstack/react-router";
import {
  type Edge,
  type EdgeType,
  isNothing,
  type MapAnswer,
  type MapNode,
  type ServiceAnswer,
} from "../../../api/services";
import { Icon } from "../../../components/Icon";
import { TracesLink } from "../../../components/TraceLink";
import { plural } from "../../../lib/number";
import { absoluteRange, type Span } from "../../../lib/time/range";
import { encodeTimeView } from "../../../lib/time/view";
import { sentence } from "../../../lib/words";
import { ServiceVerdict } from "../../bottlenecks/VerdictNote";
import { logsOf, ofService, tracesSearch } from "../links";
import { OperationName } from "../Operations";
import { RedCharts } from "../RedCharts";
import { entryOperations, errorLevel, sortRows } from "../rows";
import { useServiceExemplars } from "../ServicePage";
import { encodeMapView, type MapView } from "../url";
import { useHostsOf, useService } from "../useServices";
import { errorsText, latencyText, rateText, rateWith, typeNames } from "../words";
import { EdgeCharts } from "./EdgeCharts";
import styles from "./MapDrawer.module.css";

interface MapDrawerProps {
  name: string;
  answer: MapAnswer;
  view: MapView;
  span: Span;
  generation: number;
  onClose: () => void;
  onZoom: (span: Span) => void;
  onZoomBack: () => void;
}

const operationLimit = 8;

/** What is known of one node, beside the map. */
export function MapDrawer(props: MapDrawerProps) {
  const { name, answer, view, span, onClose } = props;
  const node = answer.nodes.find(({ id }) => id === name) ?? null;
  const isService = (node?.type ?? "service") === "service";
  const frame = { range: absoluteRange(span), zone: view.zone };
  return (
    <aside className={styles.drawer} aria-label={name}>
      <div className={styles.head}>
        <h2 className={styles.name} title={name}>
          {name}
        </h2>
        {node && node.type !== "service" && <span className="tag">{typeNames[node.type]}</span>}
        <span className="grow" />
        {isService && (
          <>
            <TracesLink
              search={tracesSearch([ofService(name)], frame)}
              className="button button-quiet button-icon"
              label={`Traces of ${name}`}
            >
              <Icon name="traces" small />
            </TracesLink>
            <Link
              to="/logs"
              search={logsOf(name, frame)}
              className="button button-quiet button-icon"
              aria-label={`Logs of ${name}`}
              title={`Logs of ${name}`}
            >
              <Icon name="logs" small />
            </Link>
            <Link
              to="/services/$service"
              params={{ service: name }}
              search={encodeTimeView(view)}
              className="button button-quiet button-icon"
              aria-label={`Everything of ${name}`}
              title={`Everything of ${name}`}
            >
              <Icon name="external" small />
            </Link>
          </>
        )}
        <button
          type="button"
          className="button button-quiet button-icon"
          aria-label="Close"
          title="Close (Esc)"
          onClick={onClose}
        >
          <Icon name="close" small />
        </button>
      </div>
      <section className={styles.body} tabIndex={0} aria-label={`${name}, numbers`}>
        <div className={styles.verdict}>
          <ServiceVerdict service={name} zone={view.zone} />
        </div>
        {isService ? <ServiceBody {...props} /> : node && <OtherBody node={node} {...props} />}
      </section>
    </aside>
  );
}

function ServiceBody({ name, answer, view, span, generation, onZoom, onZoomBack }: MapDrawerProps) {
  const { data, error, isPending } = useService(name, span, generation);
  const exemplars = useServiceExemplars(name, span, generation);
  const { hosts } = useHostsOf(name, data?.hosts ?? [], span, generation);
  if (!data)
    return error ? (
      <p className={styles.note} role="alert">
        {sentence(error.message)}
      </p>
    ) : isPending ? (
      <div className={`skeleton ${styles.skeleton}`} />
    ) : null;
  if (isNothing(data)) return <p className={styles.note}>It has sent no spans in this time.</p>;
  return (
    <>
      <p className={styles.sub}>{hostsText(hosts)}</p>
      <RedCharts
        answer={data}
        span={span}
        zone={view.zone}
        exemplars={exemplars}
        small
        onZoom={onZoom}
        onZoomBack={onZoomBack}
      />
      <Operations answer={data} view={view} span={span} />
      <Neighbours title="Depends on" edges={data.downstream} end="server" answer={answer} view={view} />
      <Neighbours title="Called by" edges={data.upstream} end="client" answer={answer} view={view} />
    </>
  );
}

function hostsText(hosts: string[]): string {
  if (hosts.length === 0) return "on no host that its spans name";
  return hosts.length <= 4
    ? `on ${hosts.join(", ")}`
    : `on ${hosts.slice(0, 3).join(", ")} and ${hosts.length - 3} more hosts`;
}

function Operations({ answer, view, span }: { answer: ServiceAnswer; view: MapView; span: Span }) {
  const named = entryOperations(answer.operations).entry.map((one) => ({
    ...one,
    name: one.operation,
    operations: 0,
  }));
  const rows = sortRows(named, "worst", false);
  const frame = { range: absoluteRange(span), zone: view.zone };
  if (rows.length === 0) return null;
  return (
    <>
      <table className={styles.table} aria-label="Operations">
        <thead>
          <tr>
            <th scope="col">Operation</th>
            <th scope="col">req/s</th>
            <th scope="col">Errors</th>
            <th scope="col">p95</th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, operationLimit).map((row) => (
            <tr key={`${row.kind} ${row.operation}`}>
              <th scope="row" title={row.operation}>
                <OperationName service={answer.service} row={row} frame={frame} />
              </th>
              <td>{rateText(row.rate)}</td>
              <td data-level={errorLevel(row.errors) ?? undefined}>{errorsText(row.errors)}</td>
              <td>{latencyText(row.p95_ns)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > operationLimit && (
        <p className={styles.note}>
          <Link
            to="/services/$service"
            params={{ service: answer.service }}
            search={encodeTimeView(view)}
            className="link"
          >
            All {plural(rows.length, "operation")}
          </Link>
        </p>
      )}
    </>
  );
}

/** A database, a queue or somebody else's service: what its callers see of it. */
function OtherBody({ node, ...props }: MapDrawerProps & { node: MapNode }) {
  const { answer, view } = props;
  return (
    <>
      <p className={styles.sub}>as its callers see it: it sends no spans itself</p>
      <EdgeCharts node={node} {...props} />
      <Neighbours
        title={node.type === "messaging" ? "Producers" : "Called by"}
        edges={answer.edges.filter(({ server }) => server === node.id)}
        end="client"
        answer={answer}
        view={view}
      />
      {node.type === "messaging" && (
        <Neighbours
          title="Consumers"
          edges={answer.edges.filter(({ client }) => client === node.id)}
          end="server"
          answer={answer}
          view={view}
        />
      )}
    </>
  );
}

interface NeighboursProps {
  title: string;
  edges: Edge[];
  end: "client" | "server";
  answer: MapAnswer;
  view: MapView;
}

/** Each opens its own drawer. */
function Neighbours({ title, edges, end, answer, view }: NeighboursProps) {
  if (edges.length === 0) return null;
  const typeOf = (id: string): EdgeType => answer.nodes.find((node) => node.id === id)?.type ?? "service";
  const sorted = [...edges].sort((a, b) => b.rate - a.rate || (a[end] < b[end] ? -1 : 1));
  return (
    <section className={styles.section} aria-label={title}>
      <h3>{title}</h3>
      <ul>
        {sorted.map((edge) => (
          <li key={`${edge.type} ${edge[end]}`} className={styles.neighbour}>
            <Link
              to="/services/map"
              search={encodeMapView({ ...view, node: edge[end] })}
              replace
              className={styles.to}
              title={edge[end]}
            >
              {edge[end]}
            </Link>
            <span className="tabular">
              <span className="text1">{latencyText(edge.client_p95_ns)}</span> p95,{" "}
              {rateWith(edge.rate, typeOf(edge.server))}
              {edge.errors !== null && edge.errors > 0 && (
                <span data-level={errorLevel(edge.errors) ?? undefined}>
                  , {errorsText(edge.errors)} fail
                </span>
              )}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
