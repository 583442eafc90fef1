import { type PaletteAction, usePaletteActions } from "../../app/palette/store";
import { presets, rangeName } from "../../lib/time/range";
import type { MetricsView } from "./url";

interface MetricsActionsProps {
  view: MetricsView;
  onChange: (change: Partial<MetricsView>) => void;
  onAdd: () => void;
  onRefresh: () => void;
}

/** What the metrics page adds to the palette. */
export function MetricsActions({ view, onChange, onAdd, onRefresh }: MetricsActionsProps) {
  const graph = view.tab === "graph";
  usePaletteActions([
    { group: "Do", icon: "plus", label: "Add a query", run: onAdd },
    {
      group: "Do",
      icon: graph ? "table" : "chart",
      label: graph ? "Show the values as a table" : "Show the values as a graph",
      run: () => onChange({ tab: graph ? "table" : "graph" }),
    },
    { group: "Do", icon: "refresh", label: "Refresh", keys: ["r"], run: onRefresh },
    {
      group: "Do",
      icon: "clock",
      label: view.zone === "utc" ? "Show local times" : "Show times in UTC",
      run: () => onChange({ zone: view.zone === "utc" ? "local" : "utc" }),
    },
    ...presets.map(
      (range): PaletteAction => ({
        label: rangeName(range).replace("\u00a0", " "),
        icon: "clock",
        group: "Time range",
        run: () => onChange({ range }),
      }),
    ),
  ]);
  return null;
}
