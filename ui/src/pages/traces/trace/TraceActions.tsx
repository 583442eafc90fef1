import { type PaletteAction, usePaletteActions } from "../../../app/palette/store";
import { type TraceTab, traceTabs } from "./url";

interface TraceActionsProps {
  tab: TraceTab;
  onTab: (tab: TraceTab) => void;
  onPathOnly: () => void;
  onFind: () => void;
  onOpenAll: () => void;
  onCloseAll: () => void;
}

const names: Record<TraceTab, string> = {
  waterfall: "waterfall",
  flame: "flame graph",
  table: "table of operations",
};

/** What the trace page adds to the palette. */
export function TraceActions({ tab, onTab, onPathOnly, onFind, onOpenAll, onCloseAll }: TraceActionsProps) {
  const act = (
    label: string,
    icon: PaletteAction["icon"],
    run: () => void,
    keys?: string[],
  ): PaletteAction => ({ group: "Do", label, icon, run, ...(keys && { keys }) });
  usePaletteActions([
    ...traceTabs
      .filter((one) => one !== tab)
      .map((one) => act(`Show the ${names[one]}`, one === "table" ? "table" : "traces", () => onTab(one))),
    act("Path only", "traces", onPathOnly, ["P"]),
    act("Find a span", "search", onFind, ["/"]),
    act("Open every span", "lines", onOpenAll),
    act("Close every span", "lines", onCloseAll),
  ]);
  return null;
}
