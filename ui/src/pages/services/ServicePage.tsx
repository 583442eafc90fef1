import { getRouteApi, Link } from "@tanstack/react-router";
import { ApiError } from "../../api/http";
import { isNothing, type ServiceAnswer } from "../../api/services";
import { PageHeader } from "../../app/PageHeader";
import { useExemplars } from "../../components/chart/useExemplars";
import { Icon } from "../../components/Icon";
import { Message } from "../../components/Message";
import { PartialTag } from "../../components/PartialTag";
import { TracesLink } from "../../components/TraceLink";
import { TimeTools } from "../../components/time/TimeTools";
import { useSpan } from "../../components/time/useSpan";
import { useZoom } from "../../components/time/useZoom";
import { absoluteRange, type Span } from "../../lib/time/range";
import { decodeTimeView, encodeTimeView, type TimeView } from "../../lib/time/view";
import { ServiceVerdict } from "../bottlenecks/VerdictNote";
import { logsOf, ofService, tracesSearch } from "./links";
import { Neighbours } from "./Neighbours";
import { Operations } from "./Operations";
import { RedCharts } from "./RedCharts";
import { errorLevel } from "./rows";
import styles from "./ServicePage.module.css";
import { Failed, StaleTag } from "./states";
import { encodeMapView } from "./url";
import { useHostsOf, useService } from "./useServices";
import { errorsText, latencyText, rateWith } from "./words";

const route = getRouteApi("/services/$service");

/** One service: its numbers, what it does, who calls it, whom it calls, where it runs. */
export function ServicePage() {
  const { service } = route.useParams();
  const view = decodeTimeView(route.useSearch() as Record<string, unknown>);
  const navigate = route.useNavigate();
  const everyMs = view.refreshS === null ? null : view.refreshS * 1000;
  const live = useSpan(view.range, service, everyMs, false);
  const { span, generation, refresh } = live;
  const { data, error, isPending } = useService(service, span, generation);
  const update = (change: Partial<TimeView>) =>
    void navigate({ search: encodeTimeView({ ...view, ...change }), replace: change.range === undefined });
  const isUnknown = (error instanceof ApiError && error.status === 404) || (data && isNothing(data));
  return (
    <>
      <PageHeader
        title={service}
        lead={
          <Link
            to="/services"
            search={encodeTimeView(view)}
            className={styles.crumb}
            aria-label="All services"
          >
            <Icon name="services" small />
            <span className={styles.crumbText}>All services</span>
          </Link>
        }
      >
        <TimeTools view={view} live={live} onChange={update} />
      </PageHeader>
      <main className={styles.page}>
        {data && !isUnknown ? (
          <Service
            answer={data}
            failure={error}
            span={span}
            generation={generation}
            view={view}
            onRange={(range) => update({ range })}
          />
        ) : isUnknown ? (
          <Message
            title={`${service} has sent no spans in this time`}
            actions={
              <button
                type="button"
                className="button"
                onClick={() => update({ range: { from: "now-24h", to: "now" } })}
              >
                Look at the last 24&nbsp;h
              </button>
            }
          >
            Its numbers come from its spans. They appear about ten seconds after a request.
          </Message>
        ) : error ? (
          <Failed error={error} onRetry={refresh} />
        ) : isPending ? (
          <Skeleton />
        ) : null}
      </main>
    </>
  );
}

interface ServiceProps {
  answer: ServiceAnswer;
  failure: Error | null;
  span: Span;
  generation: number;
  view: TimeView;
  onRange: (range: TimeView["range"]) => void;
}

function Service({ answer, failure, span, generation, view, onRange }: ServiceProps) {
  const { service } = answer;
  const { hosts, isPending } = useHostsOf(service, answer.hosts, span, generation);
  const frame = { range: absoluteRange(span), zone: view.zone };
  const zoom = useZoom(view.range, onRange);
  const exemplars = useServiceExemplars(service, span, generation);
  const level = errorLevel(answer.errors);
  return (
    <>
      <div className={styles.tools}>
        <TracesLink search={tracesSearch([ofService(service)], frame)} className="button button-small">
          <Icon name="traces" small />
          Traces
        </TracesLink>
        <Link to="/logs" search={logsOf(service, frame)} className="button button-small">
          <Icon name="logs" small />
          Logs
        </Link>
        <Link
          to="/services/map"
          search={encodeMapView({ ...view, node: service, find: "", group: "auto" })}
          className="button button-small"
        >
          <Icon name="services" small />
          On the map
        </Link>
        <span className="grow" />
        <StaleTag until={answer.until} span={span} zone={view.zone} />
        <PartialTag warnings={[...answer.warnings, ...(failure ? [failure.message] : [])]} />
      </div>
      <ServiceVerdict service={service} zone={view.zone} />
      <dl className={styles.numbers}>
        <Stat name="Rate" value={rateWith(answer.rate, "service")} />
        <Stat name="Errors" value={errorsText(answer.errors)} level={level} />
        <Stat name="p50" value={latencyText(answer.p50_ns)} />
        <Stat name="p95" value={latencyText(answer.p95_ns)} />
        <Stat name="p99" value={latencyText(answer.p99_ns)} />
      </dl>
      <RedCharts answer={answer} span={span} zone={view.zone} exemplars={exemplars} {...zoom} />
      <div className={styles.grid}>
        <Operations service={service} operations={answer.operations} frame={frame} />
        <Neighbours
          title="Upstream"
          note="who calls it"
          edges={answer.upstream}
          end="client"
          view={view}
          absent="Nobody that sends spans called it in this time."
        />
        <Neighbours
          title="Downstream"
          note="whom it calls"
          edges={answer.downstream}
          end="server"
          view={view}
          absent="It called nobody in this time."
        />
        <section className={`panel ${styles.panel}`} data-width={12} aria-label="Hosts">
          <div className={styles.head}>
            <h2>Hosts</h2>
            <span className="text3 small">{hosts.length > 0 && hosts.length}</span>
          </div>
          {hosts.length > 0 ? (
            <ul className={styles.hosts}>
              {hosts.map((host) => (
                <li key={host}>
                  <Link
                    to="/hosts/$host"
                    params={{ host }}
                    search={encodeTimeView(view)}
                    className="button button-small"
                  >
                    <Icon name="hosts" small />
                    {host}
                  </Link>
                </li>
              ))}
            </ul>
          ) : (
            !isPending && (
              <p className={styles.empty}>Its spans name no host: set host.name, or send through an agent.</p>
            )
          )}
        </section>
      </div>
    </>
  );
}

/** Of what the service takes, as its latency is. */
export function useServiceExemplars(service: string, span: Span, generation: number) {
  const text = `narrows_red_duration_seconds{service=${JSON.stringify(service)}, kind=~"server|consumer"}`;
  const [exemplars = []] = useExemplars([
    { text, span, generation, enabled: true, wanted: true, onAxis: true },
  ]);
  return exemplars;
}

function Stat({ name, value, level = null }: { name: string; value: string; level?: string | null }) {
  return (
    <div className={`panel ${styles.number}`}>
      <dt>{name}</dt>
      <dd className={`tabular ${styles.value}`} data-level={level ?? undefined}>
        {value}
      </dd>
    </div>
  );
}

function Skeleton() {
  return (
    <>
      <span className="visually-hidden" role="status">
        Asking
      </span>
      <div className={`skeleton ${styles.skeleton}`} style={{ height: 62 }} />
      <div className={`skeleton ${styles.skeleton}`} style={{ height: 210 }} />
      <div className={`skeleton ${styles.skeleton}`} style={{ height: 320 }} />
    </>
  );
}
