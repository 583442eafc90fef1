import {
  createRootRoute,
  createRoute,
  createRouter,
  Link,
  lazyRouteComponent,
  redirect,
} from "@tanstack/react-router";
import { Message } from "../components/Message";
import { decodeTimeView, encodeTimeView } from "../lib/time/view";
import { decodeRulesView, encodeRulesView } from "../pages/alerts/rules/url";
import { decodeSilencesView, encodeSilencesView } from "../pages/alerts/silences/url";
import {
  decodeAlertsView,
  decodeAlertView,
  decodeSilenceView,
  encodeAlertsView,
  encodeAlertView,
  encodeSilenceView,
} from "../pages/alerts/url";
import {
  decodeListView as decodeVerdictsView,
  decodeVerdictView,
  encodeListView as encodeVerdictsView,
  encodeVerdictView,
} from "../pages/bottlenecks/url";
import {
  decodeDashboardView,
  decodeListView,
  encodeDashboardView,
  encodeListView,
} from "../pages/dashboards/url";
import { decodeHostsView, encodeHostsView } from "../pages/hosts/url";
import { LogsPage } from "../pages/logs/LogsPage";
import { decodeLogsView, encodeLogsView } from "../pages/logs/url";
import { decodeMetricsView, encodeMetricsView } from "../pages/metrics/url";
import { decodeOverviewView, encodeOverviewView } from "../pages/overview/url";
import { decodeMapView, decodeServicesView, encodeMapView, encodeServicesView } from "../pages/services/url";
import { decodeTraceView, encodeTraceView } from "../pages/traces/trace/url";
import { decodeTracesView, encodeTracesView } from "../pages/traces/url";
import { PageHeader } from "./PageHeader";
import { Shell } from "./Shell";
import { parseSearch, stringifySearch } from "./search";

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });

const overview = createRoute({
  getParentRoute: () => root,
  path: "/",
  validateSearch: (search: Record<string, unknown>) => encodeOverviewView(decodeOverviewView(search)),
  component: lazyRouteComponent(() => import("../pages/overview/OverviewPage"), "OverviewPage"),
});

const bottlenecks = createRoute({
  getParentRoute: () => root,
  path: "/bottlenecks",
  validateSearch: (search: Record<string, unknown>) => encodeVerdictsView(decodeVerdictsView(search)),
  component: lazyRouteComponent(() => import("../pages/bottlenecks/BottlenecksPage"), "BottlenecksPage"),
});

const bottleneck = createRoute({
  getParentRoute: () => root,
  path: "/bottlenecks/$id",
  validateSearch: (search: Record<string, unknown>) => encodeVerdictView(decodeVerdictView(search)),
  component: lazyRouteComponent(() => import("../pages/bottlenecks/VerdictPage"), "VerdictPage"),
});

const alerts = createRoute({
  getParentRoute: () => root,
  path: "/alerts",
  validateSearch: (search: Record<string, unknown>) => encodeAlertsView(decodeAlertsView(search)),
  component: lazyRouteComponent(() => import("../pages/alerts/AlertsPage"), "AlertsPage"),
});

const alert = createRoute({
  getParentRoute: () => root,
  path: "/alerts/$fingerprint",
  validateSearch: (search: Record<string, unknown>) => encodeAlertView(decodeAlertView(search)),
  component: lazyRouteComponent(() => import("../pages/alerts/AlertPage"), "AlertPage"),
});

const newSilence = createRoute({
  getParentRoute: () => root,
  path: "/alerts/silences/new",
  validateSearch: (search: Record<string, unknown>) => encodeSilenceView(decodeSilenceView(search)),
  component: lazyRouteComponent(() => import("../pages/alerts/SilencePage"), "SilencePage"),
});

const rules = createRoute({
  getParentRoute: () => root,
  path: "/alerts/rules",
  validateSearch: (search: Record<string, unknown>) => encodeRulesView(decodeRulesView(search)),
  component: lazyRouteComponent(() => import("../pages/alerts/rules/RulesPage"), "RulesPage"),
});

const silences = createRoute({
  getParentRoute: () => root,
  path: "/alerts/silences",
  validateSearch: (search: Record<string, unknown>) => encodeSilencesView(decodeSilencesView(search)),
  component: lazyRouteComponent(() => import("../pages/alerts/silences/SilencesPage"), "SilencesPage"),
});

const silence = createRoute({
  getParentRoute: () => root,
  path: "/alerts/silences/$id",
  component: lazyRouteComponent(() => import("../pages/alerts/silences/SilencePage"), "SilencePage"),
});

const receivers = createRoute({
  getParentRoute: () => root,
  path: "/alerts/receivers",
  component: lazyRouteComponent(() => import("../pages/alerts/receivers/ReceiversPage"), "ReceiversPage"),
});

const alertsPages = [alerts, alert, rules, silences, newSilence, silence, receivers] as const;

const logs = createRoute({
  getParentRoute: () => root,
  path: "/logs",
  // Through the codec and back, so that a malformed parameter falls back to its default.
  validateSearch: (search: Record<string, unknown>) => encodeLogsView(decodeLogsView(search)),
  component: LogsPage,
});

// Pages with charts are chunks of their own: who reads logs does not load the drawing.
const metrics = createRoute({
  getParentRoute: () => root,
  path: "/explore",
  validateSearch: (search: Record<string, unknown>) => encodeMetricsView(decodeMetricsView(search)),
  component: lazyRouteComponent(() => import("../pages/metrics/MetricsPage"), "MetricsPage"),
});

const hosts = createRoute({
  getParentRoute: () => root,
  path: "/hosts",
  validateSearch: (search: Record<string, unknown>) => encodeHostsView(decodeHostsView(search)),
  component: lazyRouteComponent(() => import("../pages/hosts/HostsPage"), "HostsPage"),
});

const host = createRoute({
  getParentRoute: () => root,
  path: "/hosts/$host",
  validateSearch: (search: Record<string, unknown>) => encodeTimeView(decodeTimeView(search)),
  component: lazyRouteComponent(() => import("../pages/hosts/HostPage"), "HostPage"),
});

const dashboards = createRoute({
  getParentRoute: () => root,
  path: "/dashboards",
  validateSearch: (search: Record<string, unknown>) => encodeListView(decodeListView(search)),
  component: lazyRouteComponent(() => import("../pages/dashboards/DashboardsPage"), "DashboardsPage"),
});

const dashboard = createRoute({
  getParentRoute: () => root,
  path: "/d/$uid",
  validateSearch: (search: Record<string, unknown>) => encodeDashboardView(decodeDashboardView(search)),
  component: lazyRouteComponent(() => import("../pages/dashboards/DashboardPage"), "DashboardPage"),
});

const services = createRoute({
  getParentRoute: () => root,
  path: "/services",
  validateSearch: (search: Record<string, unknown>) => encodeServicesView(decodeServicesView(search)),
  component: lazyRouteComponent(() => import("../pages/services/ServicesPage"), "ServicesPage"),
});

const servicesMap = createRoute({
  getParentRoute: () => root,
  path: "/services/map",
  validateSearch: (search: Record<string, unknown>) => encodeMapView(decodeMapView(search)),
  component: lazyRouteComponent(() => import("../pages/services/map/MapPage"), "MapPage"),
});

const service = createRoute({
  getParentRoute: () => root,
  path: "/services/$service",
  validateSearch: (search: Record<string, unknown>) => encodeTimeView(decodeTimeView(search)),
  component: lazyRouteComponent(() => import("../pages/services/ServicePage"), "ServicePage"),
});

const servicesPages = [services, servicesMap, service] as const;

const traces = createRoute({
  getParentRoute: () => root,
  path: "/traces",
  validateSearch: (search: Record<string, unknown>) => encodeTracesView(decodeTracesView(search)),
  component: lazyRouteComponent(() => import("../pages/traces/TracesPage"), "TracesPage"),
});

const trace = createRoute({
  getParentRoute: () => root,
  path: "/traces/$traceId",
  validateSearch: (search: Record<string, unknown>) => encodeTraceView(decodeTraceView(search)),
  component: lazyRouteComponent(() => import("../pages/traces/trace/TracePage"), "TracePage"),
});

const settings = createRoute({
  getParentRoute: () => root,
  path: "/settings",
  beforeLoad: () => {
    throw redirect({ to: "/settings/account" });
  },
});

const users = createRoute({
  getParentRoute: () => root,
  path: "/settings/users",
  component: lazyRouteComponent(() => import("../pages/settings/UsersPage"), "UsersPage"),
});

const tokens = createRoute({
  getParentRoute: () => root,
  path: "/settings/tokens",
  component: lazyRouteComponent(() => import("../pages/settings/TokensPage"), "TokensPage"),
});

const tenants = createRoute({
  getParentRoute: () => root,
  path: "/settings/tenants",
  component: lazyRouteComponent(() => import("../pages/settings/TenantsPage"), "TenantsPage"),
});

const storage = createRoute({
  getParentRoute: () => root,
  path: "/settings/storage",
  component: lazyRouteComponent(() => import("../pages/settings/StoragePage"), "StoragePage"),
});

const account = createRoute({
  getParentRoute: () => root,
  path: "/settings/account",
  component: lazyRouteComponent(() => import("../pages/settings/AccountPage"), "AccountPage"),
});

const status = createRoute({
  getParentRoute: () => root,
  path: "/status",
  component: lazyRouteComponent(() => import("../pages/status/StatusPage"), "StatusPage"),
});

const settingsPages = [settings, users, tokens, tenants, storage, account, status] as const;

function NotFound() {
  return (
    <>
      <PageHeader title="Not found" />
      <main>
        <Message
          title="There is no page at this address"
          actions={
            <Link to="/logs" className="button">
              Open logs
            </Link>
          }
        >
          {window.location.pathname}
        </Message>
      </main>
    </>
  );
}

export const router = createRouter({
  routeTree: root.addChildren([
    overview,
    bottlenecks,
    bottleneck,
    logs,
    metrics,
    hosts,
    host,
    dashboards,
    dashboard,
    ...servicesPages,
    traces,
    trace,
    ...alertsPages,
    ...settingsPages,
  ]),
  // Plain parameters, as a person would write them: no JSON in the URL.
  parseSearch,
  stringifySearch,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
