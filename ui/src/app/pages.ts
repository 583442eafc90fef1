// Every page once: the rail, the phone's bar, its sheet and the palette are made of this list.
import type { IconName } from "../components/Icon";

export interface AppPage {
  to:
    | "/"
    | "/bottlenecks"
    | "/services"
    | "/services/map"
    | "/traces"
    | "/logs"
    | "/explore"
    | "/hosts"
    | "/dashboards"
    | "/alerts"
    | "/alerts/rules"
    | "/alerts/silences"
    | "/alerts/receivers"
    | "/settings"
    | "/settings/users"
    | "/settings/tokens"
    | "/settings/tenants"
    | "/settings/storage"
    | "/settings/account"
    | "/status";
  icon: IconName;
  label: string;
  /** How the palette calls it, where the label alone would say too little. */
  long?: string;
  keys?: string[];
  /** In the rail or in its foot; every page is in the palette. */
  rail?: "top" | "foot";
}

export const appPages: AppPage[] = [
  { to: "/", icon: "home", label: "Overview", keys: ["g", "o"], rail: "top" },
  { to: "/bottlenecks", icon: "bottleneck", label: "Bottlenecks", keys: ["g", "b"], rail: "top" },
  { to: "/services", icon: "services", label: "Services", keys: ["g", "s"], rail: "top" },
  { to: "/services/map", icon: "services", label: "Service map" },
  { to: "/traces", icon: "traces", label: "Traces", keys: ["g", "t"], rail: "top" },
  { to: "/logs", icon: "logs", label: "Logs", keys: ["g", "l"], rail: "top" },
  { to: "/explore", icon: "metrics", label: "Metrics", keys: ["g", "m"], rail: "top" },
  { to: "/dashboards", icon: "dashboards", label: "Dashboards", keys: ["g", "d"], rail: "top" },
  { to: "/hosts", icon: "hosts", label: "Hosts", keys: ["g", "h"], rail: "top" },
  { to: "/alerts", icon: "bell", label: "Alerts", keys: ["g", "a"], rail: "top" },
  { to: "/alerts/rules", icon: "rules", label: "Rules", long: "Rules of alerts and recordings" },
  { to: "/alerts/silences", icon: "silenced", label: "Silences" },
  { to: "/alerts/receivers", icon: "send", label: "Receivers", long: "Receivers: who is told" },
  { to: "/settings", icon: "settings", label: "Settings", rail: "foot" },
  { to: "/settings/users", icon: "users", label: "Users", long: "Settings: users" },
  { to: "/settings/tokens", icon: "key", label: "API tokens", long: "Settings: API tokens" },
  { to: "/settings/tenants", icon: "tenant", label: "Tenants", long: "Settings: tenants and limits" },
  { to: "/settings/storage", icon: "database", label: "Storage", long: "Settings: retention and storage" },
  { to: "/settings/account", icon: "account", label: "Your account", long: "Settings: your account" },
  { to: "/status", icon: "status", label: "Narrows’ health", long: "Status: Narrows’ health" },
];

/** The phone's bar has its own order: what the on-call person opens first. */
export const phonePages: AppPage[] = ["/", "/bottlenecks", "/alerts", "/logs"].flatMap(
  (to) => appPages.find((page) => page.to === to) ?? [],
);

/** What the phone's bar has no room for. */
export const morePages: AppPage[] = appPages.filter(
  (page) => !phonePages.includes(page) && page.to !== "/settings",
);
