import { getRouteApi } from "@tanstack/react-router";
import { PageHeader } from "../../app/PageHeader";
import { TimeTools } from "../../components/time/TimeTools";
import { useSpan } from "../../components/time/useSpan";
import type { TimeView } from "../../lib/time/view";
import { useAlerts } from "../alerts/useAlerts";
import { useOpenVerdicts, useWatch } from "../bottlenecks/useVerdicts";
import { useHostRows, useSparks } from "../hosts/useHosts";
import { useServices } from "../services/useServices";
import { HostsPanel } from "./HostsPanel";
import { NarrowsLine } from "./NarrowsLine";
import { OpenAlerts } from "./OpenAlerts";
import { OpenVerdicts } from "./OpenVerdicts";
import styles from "./Overview.module.css";
import { ServicesPanel } from "./ServicesPanel";
import { decodeOverviewView, encodeOverviewView } from "./url";

const route = getRouteApi("/");

/** In one screen: what is wrong, which services are worst, which hosts are short of something, and is Narrows well. */
export function OverviewPage() {
  const view = decodeOverviewView(route.useSearch() as Record<string, unknown>);
  const navigate = route.useNavigate();
  const everyMs = view.refreshS === null ? null : view.refreshS * 1000;
  const live = useSpan(view.range, "overview", everyMs, false);
  const { span, generation } = live;
  const alerts = useAlerts(view.refreshS);
  const verdicts = useOpenVerdicts(view.refreshS);
  const watch = useWatch(view.refreshS);
  const services = useServices(span, generation);
  const hosts = useHostRows(null, span, generation);
  const { sparks, times } = useSparks(span, generation);
  const update = (change: Partial<TimeView>) =>
    void navigate({
      search: encodeOverviewView({ ...view, ...change }),
      replace: change.range === undefined,
    });
  const refresh = () => {
    void alerts.refetch();
    void verdicts.refetch();
    live.refresh();
  };
  // Verdicts say more than the alerts that they explain; without one the alerts lead.
  const isLed = (verdicts.data ?? []).length > 0;
  const openAlerts = (
    <OpenAlerts
      alerts={alerts.data ?? null}
      error={alerts.error}
      updatedMs={alerts.dataUpdatedAt}
      services={services.data?.services.length ?? 0}
      hosts={hosts.rows.length}
      zone={view.zone}
      narrow={isLed}
      onRetry={refresh}
    />
  );
  return (
    <>
      <PageHeader title="Overview">
        <TimeTools view={view} live={{ ...live, refresh }} onChange={update} />
      </PageHeader>
      <main className={styles.page}>
        <OpenVerdicts
          verdicts={verdicts.data ?? null}
          error={verdicts.error}
          updatedMs={verdicts.dataUpdatedAt}
          isWatching={services.data === undefined || services.data.services.length > 0}
          watch={watch}
          zone={view.zone}
          onRetry={refresh}
        />
        {!isLed && openAlerts}
        <div className={styles.columns} data-led={isLed || undefined}>
          {isLed && openAlerts}
          <ServicesPanel
            answer={services.data ?? null}
            error={services.error}
            verdicts={verdicts.data ?? []}
            view={view}
            span={span}
          />
          <HostsPanel hosts={hosts} sparks={sparks} times={times} view={view} span={span} />
        </div>
        <NarrowsLine refreshS={view.refreshS} />
      </main>
    </>
  );
}
