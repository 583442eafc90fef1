import { Link } from "@tanstack/react-router";
import { PartialTag } from "../../components/PartialTag";
import { plural } from "../../lib/number";
import { tickLabel, timeTicks } from "../../lib/scale";
import { formatDuration } from "../../lib/time/format";
import type { Span } from "../../lib/time/range";
import { encodeTimeView, type TimeView } from "../../lib/time/view";
import { formatValue } from "../../lib/units";
import { sentence } from "../../lib/words";
import { type HostRow, levelOf, type Resource, sortRows } from "../hosts/rows";
import { encodeHostsView } from "../hosts/url";
import type { useHostRows } from "../hosts/useHosts";
import { HeatLegend, HeatStrip } from "./HeatStrip";
import styles from "./Overview.module.css";

interface HostsPanelProps {
  hosts: ReturnType<typeof useHostRows>;
  sparks: Map<string, (number | null)[]>;
  /** Of the sparks, in seconds. */
  times: number[];
  view: TimeView;
  span: Span;
}

const shownLimit = 12;
/** After it a host has gone silent. */
const silentS = 120;
const words: Record<Resource, string> = { cpu: "CPU", memory: "MEM", io: "IO" };

/** The hosts that wait most for a resource, and how that went over the time. */
export function HostsPanel({ hosts, sparks, times, view, span }: HostsPanelProps) {
  const shown = sortRows(hosts.rows, "saturation", false).slice(0, shownLimit);
  const time = { ...view, refreshS: null };
  return (
    <section className={`panel ${styles.panel}`} aria-label="Hosts by saturation">
      <div className={styles.head}>
        <h2>Hosts by saturation</h2>
        <span className={`text3 small ${styles.wideOnly}`}>pressure, worst resource</span>
        <span className="grow" />
        <PartialTag warnings={hosts.warnings} />
        <Link
          to="/hosts"
          search={encodeHostsView({ ...time, filter: "", sort: "saturation", reverse: false })}
          className="link small"
        >
          {hosts.rows.length > 0 ? `All ${plural(hosts.rows.length, "host")}` : "All hosts"}
        </Link>
      </div>
      {shown.length > 0 ? (
        <>
          <ul className={styles.hosts}>
            {shown.map((row) => (
              <Host key={row.name} row={row} values={sparks.get(row.name) ?? []} view={time} span={span} />
            ))}
          </ul>
          <div className={styles.heatAxis} aria-hidden="true">
            {ticksOf(times, view.zone).map(({ text, at }) => (
              <span key={text} className={styles.tick} style={{ left: `${at * 100}%` }}>
                {text}
              </span>
            ))}
          </div>
          <HeatLegend />
        </>
      ) : hosts.error ? (
        <p className={styles.line} role="alert">
          {sentence(hosts.error.message)}
        </p>
      ) : hosts.pending ? (
        <div className={`skeleton ${styles.skeleton}`} />
      ) : (
        <p className={styles.line}>
          No host has sent metrics.{" "}
          <Link to="/status" className="link">
            How to run an agent
          </Link>
        </p>
      )}
    </section>
  );
}

interface HostProps {
  row: HostRow;
  values: (number | null)[];
  view: TimeView;
  span: Span;
}

function Host({ row: { name, saturation, lastSeenS }, values, view, span }: HostProps) {
  const silentMs = span.endMs - (lastSeenS ?? 0) * 1000;
  const isSilent = lastSeenS !== null && silentMs > silentS * 1000;
  return (
    <li className={styles.host}>
      <Link
        to="/hosts/$host"
        params={{ host: name }}
        search={encodeTimeView(view)}
        className={styles.rowLink}
        title={name}
        data-host=""
      >
        {name}
      </Link>
      <HeatStrip values={values} label={`Saturation of ${name} over the time range`} />
      {isSilent ? (
        <span className={styles.silent}>silent {formatDuration(silentMs).split(" ")[0]}</span>
      ) : (
        <>
          <span className={styles.resource}>{saturation ? words[saturation.resource] : ""}</span>
          <span
            className={`tabular ${styles.share}`}
            data-level={levelOf("pressure", saturation?.share ?? null) ?? undefined}
          >
            {formatValue(saturation?.share ?? null, "percentunit", 0)}
          </span>
        </>
      )}
    </li>
  );
}

function ticksOf(times: number[], zone: TimeView["zone"]): { text: string; at: number }[] {
  const [startMs, endMs] = [(times[0] ?? 0) * 1000, (times.at(-1) ?? 0) * 1000];
  if (endMs <= startMs) return [];
  const { ticks, stepMs } = timeTicks(startMs, endMs, 4, zone);
  return ticks
    .map((ms) => ({ text: tickLabel(ms, stepMs, zone), at: (ms - startMs) / (endMs - startMs) }))
    .filter(({ at }) => at > 0.06 && at < 0.94);
}
