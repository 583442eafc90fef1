import { getRouteApi, Link } from "@tanstack/react-router";
import type { AlertWithHistory } from "../../api/alerts";
import { ApiError } from "../../api/http";
import { PageHeader } from "../../app/PageHeader";
import { Message } from "../../components/Message";
import { TimeTools } from "../../components/time/TimeTools";
import { type LiveSpan, useSpan } from "../../components/time/useSpan";
import { useZoom } from "../../components/time/useZoom";
import { defaultRange } from "../../lib/time/range";
import { AlertVerdict } from "../bottlenecks/AlertVerdict";
import { AlertActions } from "./AlertActions";
import { AlertChart } from "./AlertChart";
import { AlertFacts, AlertLabels } from "./AlertFacts";
import { AlertHead } from "./AlertHead";
import { AlertHistory } from "./AlertHistory";
import styles from "./AlertPage.module.css";
import { Crumb } from "./Crumb";
import { LogsAlertChart } from "./LogsAlertChart";
import { rangeOf } from "./links";
import { serviceOf } from "./model";
import { ServiceThen } from "./ServiceThen";
import { Refused, Stale } from "./states";
import { type AlertView, decodeAlertView, encodeAlertView } from "./url";
import { useAlert } from "./useAlerts";
import { WhoIsTold } from "./WhoIsTold";

const route = getRouteApi("/alerts/$fingerprint");

/** One alert: what, where, since when; its chart; who is told; what to look at next. Links in messages lead here. */
export function AlertPage() {
  const { fingerprint } = route.useParams();
  const view = decodeAlertView(route.useSearch() as Record<string, unknown>);
  const navigate = route.useNavigate();
  const { data: alert, error, isPending, refetch, dataUpdatedAt } = useAlert(fingerprint, view.refreshS);
  const everyMs = view.refreshS === null ? null : view.refreshS * 1000;
  const range = view.range ?? (alert ? rangeOf(alert, Date.now()) : defaultRange);
  const live = useSpan(range, fingerprint, everyMs, alert === undefined);
  const update = (change: Partial<AlertView>) =>
    void navigate({ search: encodeAlertView({ ...view, ...change }), replace: change.range === undefined });
  const refresh = () => {
    void refetch();
    live.refresh();
  };
  const isUnknown = error instanceof ApiError && (error.status === 404 || error.status === 400);
  return (
    <>
      <PageHeader title={alert?.name ?? "Alert"} lead={<Crumb />}>
        <TimeTools
          view={{ ...view, range }}
          live={{ ...live, refresh }}
          onChange={({ range: chosen, ...rest }) => update({ ...rest, ...(chosen && { range: chosen }) })}
        />
      </PageHeader>
      <main className={styles.page}>
        {alert && <Stale error={error} sinceMs={dataUpdatedAt} zone={view.zone} />}
        {alert ? (
          <OneAlert alert={alert} view={view} range={range} live={live} onChange={update} />
        ) : isUnknown ? (
          <Message
            title="This alert is not known any more"
            actions={
              <Link to="/alerts" className="button">
                Open all alerts
              </Link>
            }
          >
            Alerts that ended stay for 5&nbsp;days. The link names <code>{fingerprint}</code>; its labels may
            have changed since, which makes it another alert.
          </Message>
        ) : error ? (
          <Refused error={error} onRetry={refresh} />
        ) : (
          isPending && <Skeleton />
        )}
      </main>
    </>
  );
}

interface OneAlertProps {
  alert: AlertWithHistory;
  view: AlertView;
  range: NonNullable<AlertView["range"]>;
  live: LiveSpan;
  onChange: (change: Partial<AlertView>) => void;
}

function OneAlert({ alert, view, range, live, onChange }: OneAlertProps) {
  const zoom = useZoom(range, (chosen) => onChange({ range: chosen }));
  const { span, nowMs } = live;
  const service = serviceOf(alert.labels);
  const chart = { alert, span, nowMs, zone: view.zone, generation: live.generation, ...zoom };
  return (
    <div className={styles.columns}>
      <div className={styles.column}>
        <AlertHead alert={alert} zone={view.zone} nowMs={Date.now()} />
        <AlertVerdict alert={alert} service={service} zone={view.zone} />
        {alert.rule?.type === "logs" ? (
          <LogsAlertChart {...chart} />
        ) : (
          <AlertChart {...chart} every={view.every} onEvery={(every) => onChange({ every })} />
        )}
        {service !== null && <ServiceThen service={service} {...chart} />}
        <AlertHistory alert={alert} zone={view.zone} nowMs={Date.now()} />
      </div>
      <div className={styles.column}>
        <AlertActions alert={alert} span={span} zone={view.zone} />
        <WhoIsTold alert={alert} zone={view.zone} />
        <AlertLabels alert={alert} />
        <AlertFacts alert={alert} />
      </div>
    </div>
  );
}

function Skeleton() {
  return (
    <>
      <span className="visually-hidden" role="status">
        Asking
      </span>
      {[64, 260, 120].map((height) => (
        <div key={height} className="skeleton" style={{ height }} />
      ))}
    </>
  );
}
