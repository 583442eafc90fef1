import { useMantineColorScheme } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { fetchDashboards } from "../../api/dashboards";
import { fetchRecord } from "../../api/record";
import { fetchViews } from "../../api/views";
import { usePreferences } from "../../components/usePreferences";
import { absoluteRange } from "../../lib/time/range";
import { useOpenVerdicts } from "../../pages/bottlenecks/useVerdicts";
import { dashboardsKey } from "../../pages/dashboards/keys";
import { encodeLogsView, type LogsView, plainView } from "../../pages/logs/url";
import { stateOf } from "../../pages/logs/views/state";
import { viewsKey } from "../../pages/logs/views/useViews";
import { appPages } from "../pages";
import { useSignOut } from "../session";
import { type PaletteItem, pastedId } from "./items";
import { pageActions } from "./store";

/** Where a pasted trace may be: further back than any view looks by default. */
const traceRange = { from: "now-7d", to: "now" };

/** Everything that the palette can do for a text. */
export function usePaletteItems(text: string, opened: boolean, onHelp: () => void) {
  const navigate = useNavigate();
  const signOut = useSignOut();
  const { recentQueries } = usePreferences();
  const { setColorScheme } = useMantineColorScheme();
  const views = useQuery({
    queryKey: viewsKey,
    queryFn: ({ signal }) => fetchViews("logs", signal),
    enabled: opened,
  });
  const dashboards = useQuery({
    queryKey: dashboardsKey,
    queryFn: ({ signal }) => fetchDashboards(signal),
    enabled: opened,
  });
  const verdicts = useOpenVerdicts();
  const openLogs = (change: Partial<LogsView>) =>
    void navigate({ to: "/logs", search: encodeLogsView({ ...plainView, ...change }) });

  const openRecord = async (id: string) => {
    const record = await fetchRecord(id);
    const ms = Date.parse(record.timestamp);
    const range = absoluteRange({ startMs: ms - 30_000, endMs: ms + 30_000 });
    openLogs({ range, record: { id: record.id, time: record.timestamp } });
  };
  const pasted = pastedId(text);
  const known: PaletteItem[] = [
    ...appPages.map(
      (page): PaletteItem => ({
        id: `page ${page.to}`,
        group: "Pages",
        icon: page.icon,
        label: page.long ?? page.label,
        ...(page.keys && { keys: page.keys }),
        run: () => (page.to === "/logs" ? openLogs({}) : void navigate({ to: page.to })),
      }),
    ),
    ...(verdicts.data ?? []).map(
      ({ id, verdict }): PaletteItem => ({
        id: `verdict ${id}`,
        group: "Bottlenecks",
        icon: "bottleneck",
        label: verdict.headline,
        run: () => void navigate({ to: "/bottlenecks/$id", params: { id } }),
      }),
    ),
    ...(views.data ?? []).map(
      (view): PaletteItem => ({
        id: `view ${view.id}`,
        group: "Saved views",
        icon: "star",
        label: view.name,
        detail: String(view.state.query ?? "every record"),
        run: () => void navigate({ to: "/logs", search: stateOf(view) }),
      }),
    ),
    ...(dashboards.data ?? []).map(
      ({ uid, title, tags }): PaletteItem => ({
        id: `dashboard ${uid}`,
        group: "Dashboards",
        icon: "dashboards",
        label: title,
        ...(tags.length > 0 && { detail: tags.join(", ") }),
        run: () => void navigate({ to: "/d/$uid", params: { uid } }),
      }),
    ),
    ...recentQueries.map(
      (query): PaletteItem => ({
        id: `query ${query}`,
        group: "Recent queries",
        icon: "clock",
        label: query,
        mono: true,
        run: () => openLogs({ query }),
      }),
    ),
    ...(opened ? pageActions() : []).map(
      (action): PaletteItem => ({ ...action, id: `${action.group} ${action.label}` }),
    ),
    ...(
      [
        ["dark", "Colours: dark"],
        ["light", "Colours: light"],
        ["auto", "Colours: as the system"],
      ] as const
    ).map(
      ([scheme, label]): PaletteItem => ({
        id: `colours ${scheme}`,
        group: "Do",
        icon: "chart",
        label,
        run: () => setColorScheme(scheme),
      }),
    ),
    { id: "keys", group: "Do", icon: "lines", label: "Show the keyboard", keys: ["?"], run: onHelp },
    { id: "sign out", group: "Do", icon: "account", label: "Sign out", run: () => signOut() },
  ];
  const byId: PaletteItem | null = pasted && {
    id: `pasted ${pasted.id}`,
    group: pasted.kind === "trace" ? "Trace" : "Record",
    icon: pasted.kind === "trace" ? "traces" : "logs",
    label: pasted.kind === "trace" ? `Trace ${pasted.id}` : `Record ${pasted.id}`,
    detail: pasted.kind === "trace" ? "its spans and critical path" : "and what is around it",
    run: () =>
      pasted.kind === "trace"
        ? void navigate({ to: "/traces/$traceId", params: { traceId: pasted.id } })
        : openRecord(pasted.id),
  };
  const logsById: PaletteItem | null =
    pasted?.kind === "trace"
      ? {
          id: `logs of ${pasted.id}`,
          group: "Trace",
          icon: "logs",
          label: `Logs of trace ${pasted.id}`,
          detail: "last 7\u00a0d",
          run: () => openLogs({ query: `trace_id:${pasted.id}`, range: traceRange }),
        }
      : null;
  const search: PaletteItem | null =
    text.trim() === ""
      ? null
      : {
          id: "search",
          group: "Search",
          icon: "search",
          label: `Search logs for “${text.trim()}”`,
          keys: ["Ctrl", "↵"],
          run: () => openLogs({ query: text.trim() }),
        };
  return { known, byId, logsById, search };
}
