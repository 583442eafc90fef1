import { getRouteApi } from "@tanstack/react-router";
import { PageHeader } from "../../app/PageHeader";
import { FindField } from "../../components/FindField";
import { Message } from "../../components/Message";
import { PartialTag } from "../../components/PartialTag";
import { TimeTools } from "../../components/time/TimeTools";
import { useSpan } from "../../components/time/useSpan";
import { useFindText } from "../../components/useFindText";
import { plural } from "../../lib/number";
import { hasWords, sortRows } from "./rows";
import styles from "./Services.module.css";
import { ServicesTable } from "./ServicesTable";
import { ServicesTabs } from "./ServicesTabs";
import { Failed, NoServices, StaleTag } from "./states";
import { decodeServicesView, encodeServicesView, type ServicesView } from "./url";
import { useServices } from "./useServices";

const route = getRouteApi("/services");

/** Every service that sent spans, the worst first. */
export function ServicesPage() {
  const view = decodeServicesView(route.useSearch() as Record<string, unknown>);
  const navigate = route.useNavigate();
  const everyMs = view.refreshS === null ? null : view.refreshS * 1000;
  const live = useSpan(view.range, "services", everyMs, false);
  const { span, generation, refresh } = live;
  const { data, error, isPending } = useServices(span, generation);

  const update = (change: Partial<ServicesView>) => {
    const replace = Object.keys(change).every((name) => name !== "range");
    void navigate({ search: encodeServicesView({ ...view, ...change }), replace });
  };
  const [filter, setFilter] = useFindText(view.filter, (text) => update({ filter: text }));
  const all = (data?.services ?? []).map((one) => ({ ...one, name: one.service }));
  const found = all.filter(({ name }) => hasWords(name, filter));
  const shown = sortRows(found, view.sort, view.reverse);
  return (
    <>
      <PageHeader title="Services" lead={<ServicesTabs shown="list" view={view} />}>
        <TimeTools view={view} live={live} onChange={update} />
      </PageHeader>
      <main className={styles.page}>
        {all.length > 0 && (
          <div className={styles.tools}>
            <FindField label="Find a service" placeholder="Find by name" text={filter} onText={setFilter} />
            <span className="text3 small" aria-live="polite">
              {plural(shown.length, "service")}
              {shown.length < all.length && ` of ${all.length}`}
              {view.sort === "worst" && !view.reverse && ", worst first"}
            </span>
            {(view.sort !== "worst" || view.reverse) && (
              <button
                type="button"
                className="button button-quiet button-small"
                onClick={() => update({ sort: "worst", reverse: false })}
              >
                Worst first
              </button>
            )}
            <span className="grow" />
            <StaleTag until={data?.until ?? null} span={span} zone={view.zone} />
            <PartialTag warnings={[...(data?.warnings ?? []), ...(error ? [error.message] : [])]} />
          </div>
        )}
        {error && all.length === 0 ? (
          <Failed error={error} onRetry={refresh} />
        ) : shown.length > 0 ? (
          <ServicesTable
            rows={shown}
            view={view}
            span={span}
            onSort={(sort) => update({ sort, reverse: sort === view.sort ? !view.reverse : false })}
          />
        ) : all.length > 0 ? (
          <Message title={`No service is called “${filter}”`}>
            {plural(all.length, "service")} sent spans in this time.
          </Message>
        ) : isPending ? (
          <div className={`panel skeleton ${styles.skeleton}`} />
        ) : (
          <NoServices />
        )}
      </main>
    </>
  );
}
