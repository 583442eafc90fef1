import { getRouteApi, Link } from "@tanstack/react-router";
import { ApiError } from "../../api/http";
import { PageHeader } from "../../app/PageHeader";
import { FindField } from "../../components/FindField";
import { Message } from "../../components/Message";
import { PartialTag } from "../../components/PartialTag";
import { TimeTools } from "../../components/time/TimeTools";
import { useSpan } from "../../components/time/useSpan";
import { useFindText } from "../../components/useFindText";
import { plural } from "../../lib/number";
import { headline, sentence } from "../../lib/words";
import styles from "./HostsPage.module.css";
import { HostsTable } from "./HostsTable";
import { filterRows, sortRows } from "./rows";
import { decodeHostsView, encodeHostsView, type HostsView } from "./url";
import { useHostRows, useSparks } from "./useHosts";

const route = getRouteApi("/hosts");

/** Every host, the most saturated first. */
export function HostsPage() {
  const view = decodeHostsView(route.useSearch() as Record<string, unknown>);
  const navigate = route.useNavigate();
  const everyMs = view.refreshS === null ? null : view.refreshS * 1000;
  const live = useSpan(view.range, "hosts", everyMs, false);
  const { span, generation, refresh } = live;
  const hosts = useHostRows(null, span, generation);
  const { sparks } = useSparks(span, generation);

  const update = (change: Partial<HostsView>) => {
    const replace = Object.keys(change).every((name) => name !== "range");
    void navigate({ search: encodeHostsView({ ...view, ...change }), replace });
  };
  const [filter, setFilter] = useFindText(view.filter, (text) => update({ filter: text }));
  const shown = sortRows(filterRows(hosts.rows, filter), view.sort, view.reverse);
  return (
    <>
      <PageHeader title="Hosts">
        <TimeTools view={view} live={live} onChange={update} />
      </PageHeader>
      <main className={styles.page}>
        <div className={styles.tools}>
          <FindField label="Find a host" placeholder="Find by name" text={filter} onText={setFilter} />
          <span className="text3 small" aria-live="polite">
            {hosts.rows.length > 0 && plural(shown.length, "host")}
            {shown.length < hosts.rows.length && ` of ${hosts.rows.length}`}
          </span>
          <span className="grow" />
          <PartialTag warnings={hosts.warnings} />
        </div>
        {hosts.error && hosts.rows.length === 0 ? (
          <Message
            kind="error"
            title={headline(hosts.error.message)}
            actions={
              <button type="button" className="button" onClick={refresh}>
                Try again
              </button>
            }
          >
            {hosts.error instanceof ApiError && hosts.error.hint ? sentence(hosts.error.hint) : null}
          </Message>
        ) : hosts.rows.length > 0 ? (
          shown.length > 0 ? (
            <HostsTable
              rows={shown}
              sparks={sparks}
              view={view}
              endS={span.endMs / 1000}
              onSort={(sort) => update({ sort, reverse: sort === view.sort ? !view.reverse : false })}
            />
          ) : (
            <Message title={`No host is called “${filter}”`}>
              {plural(hosts.rows.length, "host")} sent metrics in the day before this time.
            </Message>
          )
        ) : hosts.pending ? (
          <div className={`panel skeleton ${styles.skeleton}`} />
        ) : (
          <Message
            title="No host has sent metrics"
            actions={
              <Link to="/status" className="button">
                How to run an agent
              </Link>
            }
          >
            One agent per host sends its CPU, memory, disks, network and pressure. Nothing came in the day
            before this time.
          </Message>
        )}
      </main>
    </>
  );
}
