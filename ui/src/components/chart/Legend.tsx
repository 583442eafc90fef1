import type { MouseEvent } from "react";
import { cssColour, slotDashes } from "../../lib/chart/colours";
import { byValue } from "../../lib/chart/describe";
import { type ChartSeries, extentOf, lastValue, totalOf } from "../../lib/chart/series";
import { formatScaled, formatValue, type UnitStep } from "../../lib/units";
import styles from "./Legend.module.css";

export type LegendLook = "auto" | "list" | "table" | "hidden";

interface LegendProps {
  series: ChartSeries[];
  colours: Map<string, number | string>;
  /** The names that are shown; null: all. */
  chosen: ReadonlySet<string> | null;
  /** How many have no line of their own. */
  hidden: number;
  stacked: boolean;
  unit: string;
  /** Of the axis; what the list's values are written in, because the title says it. */
  scale: UnitStep;
  decimals: number | undefined;
  look: LegendLook;
  /** Values are counts: their sum is said in place of the last one. */
  counts: boolean;
  onChoose: (chosen: ReadonlySet<string> | null) => void;
}

const listLimit = 6;
const tableLimit = 100;

/** Names with their last value, or their sum. A click isolates, Ctrl-click toggles; above six names a table, the highest first. */
export function Legend(props: LegendProps) {
  const { series, colours, chosen, hidden, stacked, unit, scale, decimals, look, counts, onChoose } = props;
  const choose = (label: string) => (event: MouseEvent) => {
    onChoose(nextChoice(series, chosen, label, event.ctrlKey || event.metaKey));
  };
  const name = (one: ChartSeries) => (
    <button
      type="button"
      className={styles.entry}
      title={one.label}
      aria-pressed={chosen?.has(one.label) ?? false}
      data-off={chosen !== null && !chosen.has(one.label)}
      onClick={choose(one.label)}
    >
      <Mark colour={colours.get(one.label) ?? 9} />
      <span className={styles.name}>{one.label}</span>
    </button>
  );
  const value = (one: ChartSeries, of: number | null) => formatValue(of, one.unit ?? unit, decimals);
  const said = (one: ChartSeries) => (counts ? totalOf(one.values) : lastValue(one.values));
  const note = hidden > 0 && (
    <p className={styles.note}>
      {stacked
        ? `The 10 highest of ${series.length} are drawn; other is the sum of ${hidden}.`
        : `The 10 highest of ${series.length} are drawn. A click on a name shows it alone.`}
    </p>
  );
  if (look === "list" || (look === "auto" && series.length <= listLimit)) {
    return (
      <div className={styles.legend}>
        {series.slice(0, tableLimit).map((one) => (
          <span key={one.label} className={styles.pair}>
            {name(one)}
            <span className="text1 tabular">
              {!counts && (one.unit === undefined || one.unit === unit)
                ? formatScaled(said(one), unit, scale, decimals)
                : value(one, said(one))}
            </span>
          </span>
        ))}
        {note}
      </div>
    );
  }
  const sorted = byValue(series, said);
  return (
    <>
      {note}
      <section className={styles.scroll} tabIndex={0} aria-label="Legend">
        <table className={styles.table}>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Highest</th>
              <th scope="col">{counts ? "In all" : "Last"}</th>
            </tr>
          </thead>
          <tbody className="tabular">
            {sorted.slice(0, tableLimit).map((one) => (
              <tr key={one.label}>
                <td>{name(one)}</td>
                <td>{value(one, extentOf([one.values])?.max ?? null)}</td>
                <td className="text1">{value(one, said(one))}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {sorted.length > tableLimit && (
          <p className={styles.note}>{sorted.length - tableLimit} lower ones are not listed.</p>
        )}
      </section>
    </>
  );
}

function Mark({ colour }: { colour: number | string }) {
  const dashed = typeof colour === "number" && slotDashes[colour] !== undefined;
  return (
    <span
      className={styles.mark}
      data-dashed={dashed}
      style={{ ["--mark" as string]: cssColour(colour) }}
      aria-hidden="true"
    />
  );
}

/** What is shown after a click on a name. */
export function nextChoice(
  series: ChartSeries[],
  chosen: ReadonlySet<string> | null,
  label: string,
  toggle: boolean,
): ReadonlySet<string> | null {
  if (!toggle) return chosen?.size === 1 && chosen.has(label) ? null : new Set([label]);
  const next = new Set(chosen ?? series.map((one) => one.label));
  if (!next.delete(label)) next.add(label);
  return next.size === 0 || next.size === series.length ? null : next;
}
