import type { MouseEvent } from "react";
import { formatCount, plural } from "../../lib/number";
import type { Scalar } from "../../lib/query/edit";
import { isSeverity, severityRole } from "../../lib/severity";
import { headline } from "../../lib/words";
import { Icon } from "../Icon";
import { useQueryLanguage } from "../query/language";
import styles from "./Facets.module.css";
import type { FacetRow } from "./facetRows";

interface FacetValueProps {
  field: string;
  row: FacetRow;
  /** Stands for the value. */
  label?: string | undefined;
  onInclude: (value: Scalar) => void;
  /** null: the records without a value, which cannot be excluded here. */
  onExclude: ((value: Scalar) => void) | null;
}

/** A value with its count; Alt-click excludes as the minus does. */
export function FacetValue({ field, row, label, onInclude, onExclude }: FacetValueProps) {
  const { value, count, share, state } = row;
  const { nouns } = useQueryLanguage();
  const name = onExclude ? (label ?? String(value)) : "missing";
  const severity = field === "severity" && isSeverity(name) ? name : null;
  const counted = count === null ? "not counted" : plural(count, ...nouns);
  const choose = (event: MouseEvent) => {
    if (onExclude && (event.altKey || state === "excluded")) onExclude(value);
    else onInclude(value);
  };
  return (
    <li className={styles.value} data-state={state}>
      <button
        type="button"
        className={styles.pick}
        role="checkbox"
        aria-checked={state === "included"}
        aria-label={`${name || "(empty)"}${state === "excluded" ? ", excluded" : ""}, ${counted}`}
        title={onExclude ? `${name}\nAlt-click excludes it` : `${headline(nouns[1])} without ${field}`}
        onClick={choose}
      >
        <span className={styles.box} aria-hidden="true">
          {state === "included" && <Icon name="check" small />}
          {state === "excluded" && <Icon name="minus" small />}
        </span>
        {severity && <span className="swatch" style={{ background: `var(--${severityRole[severity]})` }} />}
        <span className={onExclude ? styles.label : `${styles.label} ${styles.missing}`}>
          {name === "" ? "(empty)" : name}
        </span>
        <span className={styles.count}>{count === null ? "–" : formatCount(count)}</span>
      </button>
      {onExclude && (
        <button
          type="button"
          className={styles.exclude}
          aria-label={state === "excluded" ? `Stop excluding ${name}` : `Exclude ${name}`}
          aria-pressed={state === "excluded"}
          title={state === "excluded" ? "Do not exclude it" : "Exclude it"}
          onClick={() => onExclude(value)}
        >
          <Icon name={state === "excluded" ? "plus" : "minus"} small />
        </button>
      )}
      <span className={styles.track} aria-hidden="true">
        <span className={styles.bar} style={{ width: `${share * 100}%` }} />
      </span>
    </li>
  );
}
