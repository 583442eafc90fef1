import { type PaletteAction, usePaletteActions } from "../../app/palette/store";
import { presets, rangeName } from "../../lib/time/range";
import type { TimeView } from "../../lib/time/view";
import { RefreshControl } from "./RefreshControl";
import { TimeControls } from "./TimeControls";
import type { LiveSpan } from "./useSpan";

interface TimeToolsProps {
  view: TimeView;
  live: LiveSpan;
  onChange: (change: Partial<TimeView>) => void;
}

/** Time range and refresh, at the right end of the header and in the palette. */
export function TimeTools({ view, live, onChange }: TimeToolsProps) {
  usePaletteActions([
    { group: "Do", icon: "refresh", label: "Refresh", keys: ["r"], run: live.refresh },
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
  return (
    <>
      <TimeControls
        range={view.range}
        span={live.span}
        nowMs={live.nowMs}
        zone={view.zone}
        onRange={(range) => onChange({ range })}
        onZone={(zone) => onChange({ zone })}
      />
      <RefreshControl
        everyS={view.refreshS}
        pause={null}
        onRefresh={live.refresh}
        onEvery={(refreshS) => onChange({ refreshS })}
      />
    </>
  );
}
