import { Popover } from "@mantine/core";
import { useRef, useState } from "react";
import { flushSync } from "react-dom";
import { readPreferences, writePreferences } from "../../lib/preferences";
import { formatClock, formatMoment, formatSpan, needsDays } from "../../lib/time/format";
import { type Range, rangeName, type Span, shiftRange, zoomOut } from "../../lib/time/range";
import { type Zone, zoneLabel } from "../../lib/time/zone";
import { Icon } from "../Icon";
import { useShortcuts } from "../useShortcuts";
import styles from "./TimeControls.module.css";
import { TimePanel } from "./TimePanel";

interface TimeControlsProps {
  range: Range;
  span: Span;
  nowMs: number;
  zone: Zone;
  /** New records are followed: no range is shown, and choosing one ends that. */
  live?: { sinceMs: number; paused: boolean } | null;
  onRange: (range: Range) => void;
  onZone: (zone: Zone) => void;
}

/** The time range: its name, both instants, the zone; a click or `t` opens the panel, the lens doubles the range. */
export function TimeControls(props: TimeControlsProps) {
  const { range, span, nowMs, zone, live = null, onRange, onZone } = props;
  const [open, setOpen] = useState(false);
  const phrase = useRef<HTMLInputElement>(null);
  // The popover takes the focus a moment later, too late for who types on at once.
  const show = () => {
    flushSync(() => setOpen(true));
    phrase.current?.focus({ preventScroll: true });
  };
  const zoom = () => {
    setOpen(false);
    onRange(zoomOut(range, Date.now()));
  };
  useShortcuts({
    t: show,
    "t -": zoom,
    ArrowLeft: () => onRange(shiftRange(range, -1, Date.now())),
    ArrowRight: () => onRange(shiftRange(range, 1, Date.now())),
  });
  const choose = (chosen: Range) => {
    remember(chosen);
    setOpen(false);
    onRange(chosen);
  };
  const absolute = live ? sinceText(live.sinceMs, zone) : formatSpan(span, zone, nowMs);
  const label = zoneLabel(zone, live?.sinceMs ?? span.endMs);
  return (
    <div className={styles.group}>
      <Popover opened={open} onChange={setOpen} position="bottom-end">
        <Popover.Target>
          <button type="button" className={styles.range} onClick={() => (open ? setOpen(false) : show())}>
            <span className={styles.name}>
              <Icon name={live ? "live" : "clock"} small />
              <span className="visually-hidden">Time range: </span>
              {live ? (live.paused ? "Paused" : "Live") : rangeName(range)}
            </span>
            <span className={styles.absolute}>
              {absolute} {label}
            </span>
          </button>
        </Popover.Target>
        <Popover.Dropdown p={0} aria-label="Time range">
          <TimePanel
            phraseRef={phrase}
            range={range}
            span={span}
            zone={zone}
            onRange={choose}
            onZone={onZone}
            onZoomOut={zoom}
          />
        </Popover.Dropdown>
      </Popover>
      {!live && (
        <button
          type="button"
          className={styles.zoom}
          aria-label="Zoom out: twice the time range"
          onClick={zoom}
        >
          <Icon name="zoomOut" small />
        </button>
      )}
    </div>
  );
}

/** With its day once that is no longer today. */
function sinceText(sinceMs: number, zone: Zone): string {
  const days = needsDays({ startMs: sinceMs, endMs: Math.max(sinceMs + 1, Date.now()) }, zone);
  return `since ${days ? formatMoment(sinceMs, zone) : formatClock(sinceMs, zone)}`;
}

function remember(range: Range): void {
  const others = readPreferences().recentRanges.filter(
    (old) => old.from !== range.from || old.to !== range.to,
  );
  writePreferences({ recentRanges: [range, ...others].slice(0, 5) });
}
