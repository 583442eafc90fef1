import { Spark } from "../../../components/chart/Spark";
import type { Panel } from "../../../lib/dashboard/model";
import type { PanelSeries } from "../../../lib/dashboard/series";
import { reduceValues, shownValue } from "../../../lib/dashboard/values";
import styles from "./Panels.module.css";

interface StatPanelProps {
  panel: Panel;
  name: string;
  series: PanelSeries[];
}

/** More would be too small to be read. */
const most = 24;

/** One large value per series, with its course below where there is room. */
export function StatPanel({ panel, name, series }: StatPanelProps) {
  const shown = series.slice(0, most);
  return (
    <>
      <ul
        className={styles.stats}
        tabIndex={0}
        aria-label={`${name}, values`}
        data-several={series.length > 1}
        data-direction={panel.orientation}
      >
        {shown.map((one) => (
          <Stat key={one.label} panel={panel} name={name} one={one} several={series.length > 1} />
        ))}
      </ul>
      {series.length > most && (
        <p className={styles.note}>
          {most} of {series.length} series are shown.
        </p>
      )}
    </>
  );
}

interface StatProps {
  panel: Panel;
  name: string;
  one: PanelSeries;
  several: boolean;
}

function Stat({ panel, name, one, several }: StatProps) {
  const value = panel.calc === "name" ? null : reduceValues(one.values, panel.calc);
  const shown = shownValue(value, one.style);
  const level = panel.colourMode === "none" ? null : shown.level;
  const named = panel.textMode === "name" || panel.calc === "name";
  const withName = !named && (panel.textMode === "value_and_name" || (panel.textMode === "auto" && several));
  const [number, unit] = named ? [one.label, ""] : split(shown.text);
  return (
    <li className={styles.stat}>
      {withName && (
        <span className={styles.statName} title={one.label}>
          {one.label}
        </span>
      )}
      {panel.textMode !== "none" && (
        <span className={styles.statValue} data-level={level ?? undefined}>
          <b>{number}</b>
          {unit !== "" && <span>{unit}</span>}
          {level && (
            <span className="visually-hidden">{level === "crit" ? "past its limit" : "near its limit"}</span>
          )}
        </span>
      )}
      {panel.spark && (
        <Spark values={one.values} label={`${several ? one.label : name}, its course`} level={level} />
      )}
    </li>
  );
}

/** The number is large, its unit small. */
function split(text: string): [number: string, unit: string] {
  const match = /^([−-]?[\d,.]+(?:e[+-]?\d+)?)\u00a0(.+)$/.exec(text);
  return match ? [match[1] ?? text, match[2] ?? ""] : [text, ""];
}
