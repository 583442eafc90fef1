import { usePaletteActions } from "../../app/palette/store";
import { RefreshControl } from "../../components/time/RefreshControl";
import type { Clock } from "../../lib/time/clock";
import { zoneLabel } from "../../lib/time/zone";

interface ClockToolsProps {
  clock: Clock;
  onRefresh: () => void;
  onChange: (change: Partial<Clock>) => void;
}

/** Zone and refresh, for pages that are about now. */
export function ClockTools({ clock, onRefresh, onChange }: ClockToolsProps) {
  const { zone, refreshS } = clock;
  const other = zone === "utc" ? "local" : "utc";
  usePaletteActions([
    { group: "Do", icon: "refresh", label: "Refresh", keys: ["r"], run: onRefresh },
    {
      group: "Do",
      icon: "clock",
      label: other === "utc" ? "Show times in UTC" : "Show local times",
      run: () => onChange({ zone: other }),
    },
  ]);
  return (
    <>
      <button
        type="button"
        className="button button-quiet button-small"
        title={other === "utc" ? "Show times in UTC" : "Show local times"}
        onClick={() => onChange({ zone: other })}
      >
        <span className="visually-hidden">Time zone: </span>
        {zoneLabel(zone, Date.now())}
      </button>
      <RefreshControl
        everyS={refreshS}
        pause={null}
        onRefresh={onRefresh}
        onEvery={(everyS) => onChange({ refreshS: everyS })}
      />
    </>
  );
}
