import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import type { Facet } from "../../api/facets";
import { formatCount } from "../../lib/number";
import { readPreferences, writePreferences } from "../../lib/preferences";
import {
  asksForMissing,
  choiceOf,
  type Scalar,
  toggleExcluded,
  toggleIncluded,
  toggleMissing,
  withoutField,
} from "../../lib/query/edit";
import type { Question } from "../../lib/query/question";
import { Icon } from "../Icon";
import { useQueryLanguage } from "../query/language";
import styles from "./Facets.module.css";
import { FacetValue } from "./FacetValue";
import { hiddenValues, rowsOf } from "./facetRows";
import { useFacetValues } from "./useFacets";

interface FacetGroupProps {
  facet: Facet;
  question: Question;
  folded: boolean;
  /** What stands for values that say nothing to a person. */
  labels?: ReadonlyMap<string, string>;
  onQuery: (query: string) => void;
  /** null: it stays. */
  onRemove: (() => void) | null;
  /** Where the further values are, in place of a search among them. */
  onMore?: () => void;
}

/** One field: its values with their counts, a search when there are more, and what has no value at all. */
export function FacetGroup(props: FacetGroupProps) {
  const { facet, question, folded, labels, onQuery, onRemove, onMore } = props;
  const { field } = facet;
  const { nouns } = useQueryLanguage();
  const { query } = question;
  const [searching, setSearching] = useState(false);
  const [prefix, setPrefix] = useState("");
  const [settled] = useDebouncedValue(prefix, 200);
  const found = useFacetValues(question, field, settled, searching && !folded);
  const choice = choiceOf(query, field);
  const missing = asksForMissing(query, field);
  const chosen = choice.included.length + choice.excluded.length + (missing ? 1 : 0);
  const values = searching ? (found.data ?? facet.values) : facet.values;
  const rows = rowsOf(
    field,
    values,
    searching ? { included: choice.included, excluded: choice.excluded } : choice,
  );
  const hidden = hiddenValues(facet);
  const toggleFolded = () => {
    const others = readPreferences().facetsFolded.filter((name) => name !== field);
    writePreferences({ facetsFolded: folded ? others : [...others, field] });
  };
  const stopSearching = () => {
    setSearching(false);
    setPrefix("");
  };
  return (
    <section className={styles.group} aria-label={`Facet ${field}`}>
      <div className={styles.head}>
        <h3 className={styles.title}>
          <button type="button" className={styles.fold} aria-expanded={!folded} onClick={toggleFolded}>
            <Icon name={folded ? "right" : "down"} small />
            <span className={styles.name} title={field}>
              {field}
            </span>
            {folded && chosen > 0 && <span className={styles.chosen}>{chosen} chosen</span>}
          </button>
        </h3>
        {onRemove && (
          <button
            type="button"
            className={`${styles.tool} ${styles.quiet}`}
            aria-label={`Remove the facet ${field}`}
            title="Remove this facet"
            onClick={onRemove}
          >
            <Icon name="close" small />
          </button>
        )}
        {hidden !== 0 && !folded && !onMore && (
          <button
            type="button"
            className={styles.tool}
            aria-label={`Search in ${field}`}
            aria-expanded={searching}
            title="Search its values"
            onClick={() => (searching ? stopSearching() : setSearching(true))}
          >
            <Icon name="search" small />
          </button>
        )}
        {chosen > 0 && (
          <button
            type="button"
            className={`${styles.tool} ${styles.clear}`}
            aria-label={`Clear ${field}`}
            title="Ask for every value"
            onClick={() => onQuery(clear(query, field))}
          >
            Clear
          </button>
        )}
      </div>
      {!folded && (
        <>
          {searching && (
            <input
              // biome-ignore lint/a11y/noAutofocus: the person has just asked for this field
              autoFocus
              className={`field ${styles.search}`}
              aria-label={`Values of ${field} that begin with`}
              placeholder="begins with"
              autoComplete="off"
              spellCheck={false}
              value={prefix}
              onChange={(event) => setPrefix(event.target.value)}
              onKeyDown={(event) => {
                if (event.key !== "Escape") return;
                event.preventDefault();
                stopSearching();
              }}
            />
          )}
          <ul>
            {rows.map((row) => (
              <FacetValue
                key={`${typeof row.value} ${row.value}`}
                field={field}
                row={row}
                label={labels?.get(String(row.value))}
                onInclude={(value: Scalar) => onQuery(toggleIncluded(query, field, value))}
                onExclude={(value: Scalar) => onQuery(toggleExcluded(query, field, value))}
              />
            ))}
            {!searching && facet.missing > 0 && (
              <FacetValue
                field={field}
                row={{ value: "", count: facet.missing, share: 0, state: missing ? "included" : "plain" }}
                onInclude={() => onQuery(toggleMissing(query, field))}
                onExclude={null}
              />
            )}
          </ul>
          {searching && found.data?.length === 0 && (
            <p className={styles.note}>No value begins with “{settled}”.</p>
          )}
          {searching && found.error && <p className={styles.note}>The values did not come.</p>}
          {!searching && hidden !== 0 && (
            <button type="button" className={styles.more} onClick={onMore ?? (() => setSearching(true))}>
              <span>{hidden === null ? "more values" : `${formatCount(hidden)} more`}</span>
              <span className="tabular">{formatCount(facet.other)}</span>
            </button>
          )}
          {!searching && rows.length === 0 && facet.missing === 0 && (
            <p className={styles.note}>No {nouns[0]} matches.</p>
          )}
        </>
      )}
    </section>
  );
}

function clear(query: string, field: string): string {
  const cleared = withoutField(query, field);
  return asksForMissing(cleared, field) ? toggleMissing(cleared, field) : cleared;
}
