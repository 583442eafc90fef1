import { usePaletteActions } from "../../app/palette/store";
import type { MetricsView } from "./url";

interface MetricsActionsProps {
  view: MetricsView;
  onChange: (change: Partial<MetricsView>) => void;
  onAdd: () => void;
}

/** What the metrics page adds to the palette. */
export function MetricsActions({ view, onChange, onAdd }: MetricsActionsProps) {
  const graph = view.tab === "graph";
  usePaletteActions([
    { group: "Do", icon: "plus", label: "Add a query", run: onAdd },
    {
      group: "Do",
      icon: graph ? "table" : "chart",
      label: graph ? "Show the values as a table" : "Show the values as a graph",
      run: () => onChange({ tab: graph ? "table" : "graph" }),
    },
  ]);
  return null;
}
