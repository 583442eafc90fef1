import { createRootRoute, createRoute, createRouter, Link, redirect } from "@tanstack/react-router";
import { Message } from "../components/Message";
import { LogsPage } from "../pages/logs/LogsPage";
import { decodeLogsView, encodeLogsView } from "../pages/logs/url";
import { StatusPage } from "../pages/status/StatusPage";
import { PageHeader } from "./PageHeader";
import { Shell } from "./Shell";

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/logs" });
  },
});

const logs = createRoute({
  getParentRoute: () => root,
  path: "/logs",
  // Through the codec and back, so that a malformed parameter falls back to its default.
  validateSearch: (search: Record<string, unknown>) => encodeLogsView(decodeLogsView(search)),
  component: LogsPage,
});

const status = createRoute({ getParentRoute: () => root, path: "/status", component: StatusPage });

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
  routeTree: root.addChildren([home, logs, status]),
  // Plain parameters, as a person would write them: no JSON in the URL.
  parseSearch: (search) => Object.fromEntries(new URLSearchParams(search)),
  stringifySearch: (search) => {
    const params = new URLSearchParams();
    for (const [name, value] of Object.entries(search))
      if (value !== undefined) params.set(name, String(value));
    return params.size > 0 ? `?${params}` : "";
  },
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
