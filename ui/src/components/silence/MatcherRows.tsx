import { useId } from "react";
import { type Matcher, type Operator, operators } from "../../lib/matchers";
import { Icon } from "../Icon";
import { emptyMatcher } from "./draft";
import styles from "./SilenceForm.module.css";

interface MatcherRowsProps {
  matchers: Matcher[];
  /** By place; what stands is told when `told`. */
  problems: (string | null)[];
  told: boolean;
  /** The labels of the alerts that are open, for suggestions. */
  known: Record<string, string>[];
  disabled: boolean;
  onChange: (matchers: Matcher[]) => void;
}

const words: Record<Operator, string> = {
  "=": "= is",
  "!=": "!= is not",
  "=~": "=~ regex",
  "!~": "!~ not regex",
};

/** One row per matcher; all of them must hold. */
export function MatcherRows({ matchers, problems, told, known, disabled, onChange }: MatcherRowsProps) {
  const id = useId();
  const names = distinct(known.flatMap((labels) => Object.keys(labels)));
  const set = (at: number, change: Partial<Matcher>) =>
    onChange(matchers.map((matcher, place) => (place === at ? { ...matcher, ...change } : matcher)));
  return (
    <fieldset className={styles.matchers} disabled={disabled}>
      <legend>Alerts that have all of</legend>
      <datalist id={`${id}-names`}>
        {names.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      {matchers.map(({ name, op, value }, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row is its place; its texts change while one types
        <div key={at} className={styles.matcher} role="group" aria-label={`Matcher ${at + 1}`}>
          <input
            className="field mono"
            aria-label="Label"
            placeholder="label"
            list={`${id}-names`}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            value={name}
            aria-invalid={told && problems[at] !== null && name.trim() === ""}
            onChange={(event) => set(at, { name: event.target.value })}
          />
          <select
            className="field mono"
            aria-label="Operator"
            value={op}
            onChange={(event) => set(at, { op: event.target.value as Operator })}
          >
            {operators.map((one) => (
              <option key={one} value={one}>
                {words[one]}
              </option>
            ))}
          </select>
          <input
            className="field mono"
            aria-label="Value"
            placeholder={op.endsWith("~") ? "regular expression" : "value"}
            list={`${id}-values-${at}`}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            value={value}
            aria-invalid={problems[at] !== null && name.trim() !== ""}
            onChange={(event) => set(at, { value: event.target.value })}
          />
          <datalist id={`${id}-values-${at}`}>
            {distinct(known.flatMap((labels) => labels[name] ?? [])).map((one) => (
              <option key={one} value={one} />
            ))}
          </datalist>
          {matchers.length > 1 && (
            <button
              type="button"
              className="button button-quiet button-icon"
              aria-label={`Remove matcher ${at + 1}`}
              title="Remove"
              onClick={() => onChange(matchers.filter((_, place) => place !== at))}
            >
              <Icon name="close" small />
            </button>
          )}
          {problems[at] && (told || name.trim() !== "") && <p className={styles.problem}>{problems[at]}</p>}
        </div>
      ))}
      <button
        type="button"
        className="button button-small"
        onClick={() => onChange([...matchers, emptyMatcher])}
      >
        <Icon name="plus" small />
        Add a matcher
      </button>
    </fieldset>
  );
}

const suggestionLimit = 100;

function distinct(texts: string[]): string[] {
  return [...new Set(texts)].sort().slice(0, suggestionLimit);
}
