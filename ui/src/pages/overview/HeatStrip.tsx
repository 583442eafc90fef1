import { formatValue } from "../../lib/units";
import { heatStep } from "../hosts/rows";
import styles from "./HeatStrip.module.css";

/** Stalled time as heat, one cell per moment; what is not known is open. */
export function HeatStrip({ values, label }: { values: (number | null)[]; label: string }) {
  const known = values.filter((value) => value !== null);
  const highest = known.length > 0 ? `, at most ${formatValue(Math.max(...known), "percentunit", 0)}` : "";
  return (
    <span className={styles.strip} role="img" aria-label={`${label}${highest}`}>
      {values.map((value, at) => (
        <span
          // biome-ignore lint/suspicious/noArrayIndexKey: a cell is its place
          key={at}
          style={value === null ? undefined : { background: `var(--heat-${heatStep(value)})` }}
        />
      ))}
    </span>
  );
}

const steps = ["0", "2", "5", "10", "25", "40", "60\u00a0%"];

export function HeatLegend() {
  return (
    <p className={styles.legend}>
      <span className="grow">stalled time</span>
      {steps.map((text, at) => (
        <span key={text}>
          <span className="swatch" style={{ background: `var(--heat-${at})` }} />
          {text}
        </span>
      ))}
    </p>
  );
}
