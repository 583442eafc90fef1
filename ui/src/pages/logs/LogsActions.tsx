import { type PaletteAction, usePaletteActions } from "../../app/palette/store";
import { presets, rangeName } from "../../lib/time/range";
import { defaultColumns } from "./columns";
import type { LogsView } from "./url";

interface LogsActionsProps {
  view: LogsView;
  onChange: (change: Partial<LogsView>) => void;
  onRefresh: () => void;
}

/** What the logs page adds to the palette. */
export function LogsActions({ view, onChange, onRefresh }: LogsActionsProps) {
  const act = (
    label: string,
    icon: PaletteAction["icon"],
    run: () => void,
    keys?: string[],
  ): PaletteAction => ({
    label,
    icon,
    group: "Do",
    run,
    ...(keys && { keys }),
  });
  const oldest = view.order === "oldest";
  usePaletteActions([
    act(
      view.live ? "Stop the live tail" : "Live tail",
      "live",
      () => onChange({ live: !view.live, record: null }),
      ["L"],
    ),
    ...(view.tab === "chart"
      ? []
      : [act("Show a chart", "chart", () => onChange({ tab: "chart", live: false }))]),
    view.tab === "records"
      ? act("Show patterns", "pattern", () => onChange({ tab: "patterns", live: false }))
      : act("Show records", "lines", () => onChange({ tab: "records", live: false })),
    act("Refresh", "refresh", onRefresh, ["r"]),
    act(oldest ? "Newest first" : "Oldest first", "down", () =>
      onChange({ order: oldest ? "newest" : "oldest" }),
    ),
    act("Reset the columns", "table", () => onChange({ columns: defaultColumns })),
    act("Clear the query", "close", () => onChange({ query: "", record: null })),
    act(view.zone === "utc" ? "Show local times" : "Show times in UTC", "clock", () =>
      onChange({ zone: view.zone === "utc" ? "local" : "utc" }),
    ),
    ...presets.map(
      (range): PaletteAction => ({
        label: rangeName(range).replace("\u00a0", " "),
        icon: "clock",
        group: "Time range",
        run: () => onChange({ range, live: false }),
      }),
    ),
  ]);
  return null;
}
