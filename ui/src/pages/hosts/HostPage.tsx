import { useElementSize } from "@mantine/hooks";
import { getRouteApi, Link } from "@tanstack/react-router";
import { PageHeader } from "../../app/PageHeader";
import { Icon } from "../../components/Icon";
import { Message } from "../../components/Message";
import { PartialTag } from "../../components/PartialTag";
import { TimeTools } from "../../components/time/TimeTools";
import { useSpan } from "../../components/time/useSpan";
import { useZoom } from "../../components/time/useZoom";
import { gridOf, rateInterval, stepFor } from "../../lib/promql/range";
import { decodeTimeView, encodeTimeView, type TimeView } from "../../lib/time/view";
import { sentence } from "../../lib/words";
import { FileSystems } from "./FileSystems";
import { HostChart } from "./HostChart";
import { HostLogs } from "./HostLogs";
import { HostNumbers } from "./HostNumbers";
import styles from "./HostPage.module.css";
import { HostServices } from "./HostServices";
import { Processes } from "./Processes";
import { hostCharts } from "./queries";
import { useHostRows } from "./useHosts";

const route = getRouteApi("/hosts/$host");

/** Everything of one host on one screen: numbers, charts with one cursor, file systems, processes, its logs. */
export function HostPage() {
  const { host } = route.useParams();
  const view = decodeTimeView(route.useSearch() as Record<string, unknown>);
  const navigate = route.useNavigate();
  const everyMs = view.refreshS === null ? null : view.refreshS * 1000;
  const live = useSpan(view.range, host, everyMs, false);
  const { span, generation, refresh } = live;
  const { ref: main, width } = useElementSize<HTMLElement>();
  const update = (change: Partial<TimeView>) =>
    void navigate({ search: encodeTimeView({ ...view, ...change }), replace: change.range === undefined });
  const zoom = useZoom(view.range, (range) => update({ range }));
  const numbers = useHostRows(host, span, generation);
  const row = numbers.rows.find(({ name }) => name === host) ?? null;

  // A third of the page each: a value per pixel of the widest charts is plenty.
  const stepS = stepFor(span.endMs - span.startMs, Math.max(200, width / 3));
  const grid = gridOf(span, stepS);
  const charts = hostCharts(host, `${rateInterval(stepS)}s`);
  return (
    <>
      <PageHeader
        title={host}
        lead={
          <Link to="/hosts" search={encodeTimeView(view)} className={styles.crumb}>
            <Icon name="hosts" small />
            All hosts
          </Link>
        }
      >
        <TimeTools view={view} live={live} onChange={update} />
      </PageHeader>
      <main ref={main} className={styles.page}>
        {numbers.error && (
          <Message kind="error" title="The numbers of this host are missing">
            {sentence(numbers.error.message)}{" "}
            <button type="button" className="link" onClick={refresh}>
              Try again
            </button>
          </Message>
        )}
        {!row && !numbers.pending && !numbers.error && (
          <Message title={`${host} has sent no metrics`}>
            Nothing came from it in the day before this time. Its charts show what the time range holds; the
            agent's own log on the host says why it is silent.
          </Message>
        )}
        <PartialTag warnings={numbers.warnings} />
        <HostNumbers row={row} endS={span.endMs / 1000} zone={view.zone} />
        <div className={styles.grid}>
          {charts.map((spec) => (
            <HostChart
              key={spec.id}
              spec={spec}
              grid={grid}
              span={span}
              zone={view.zone}
              generation={generation}
              enabled={width > 0}
              onRetry={refresh}
              {...zoom}
            />
          ))}
          <FileSystems host={host} span={span} generation={generation} onRetry={refresh} />
          <Processes host={host} span={span} generation={generation} onRetry={refresh} />
          <HostServices host={host} span={span} view={view} generation={generation} />
          <HostLogs host={host} span={span} zone={view.zone} generation={generation} />
        </div>
      </main>
    </>
  );
}
