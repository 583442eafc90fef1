import { type KeyboardEvent, type ReactNode, useState } from "react";
import { ApiError } from "../../api/http";
import { writePreferences } from "../../lib/preferences";
import type { Question } from "../../lib/query/question";
import { sentence } from "../../lib/words";
import { Icon } from "../Icon";
import { useQueryLanguage } from "../query/language";
import { usePreferences } from "../usePreferences";
import { FacetGroup } from "./FacetGroup";
import styles from "./Facets.module.css";
import { FieldPicker } from "./FieldPicker";
import type { FacetsState } from "./useFacets";

export interface FacetsPanelProps {
  facets: FacetsState;
  question: Question;
  onQuery: (query: string) => void;
  onRetry: () => void;
  /** Behind the fields' facets: one that is counted elsewhere. */
  further?: ReactNode;
}

/** What occurs in the records that match: a click on a value asks for it, its minus excludes it. */
export function FacetsPanel(props: FacetsPanelProps) {
  const { facets: state, question, onQuery, onRetry, further } = props;
  const preferences = usePreferences();
  const { nouns, facetsKey } = useQueryLanguage();
  const { facets, names, sampled, counting, error } = state;
  const [picking, setPicking] = useState(false);
  const toggle = (field: string) =>
    writePreferences({
      [facetsKey]: names.includes(field) ? names.filter((name) => name !== field) : [...names, field],
    });
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the arrow keys only move the focus between its buttons
    <div className={styles.panel} aria-busy={counting} data-counting={counting} onKeyDown={moveFocus}>
      {error && <Failed error={error} onRetry={onRetry} />}
      {!facets && !error && <Loading />}
      {sampled && <p className={styles.note}>Counted over the newest part of the {nouns[1]}.</p>}
      {facets?.map((facet) => (
        <FacetGroup
          key={facet.field}
          facet={facet}
          question={question}
          folded={preferences.facetsFolded.includes(facet.field)}
          onQuery={onQuery}
          onRemove={() => toggle(facet.field)}
        />
      ))}
      {facets && further}
      {facets?.length === 0 && !error && <p className={styles.note}>No facet is chosen.</p>}
      {facets && (
        <div className={styles.foot}>
          <button
            type="button"
            className={styles.add}
            aria-expanded={picking}
            onClick={() => setPicking(!picking)}
          >
            <Icon name={picking ? "down" : "plus"} small />
            Choose facets
          </button>
          {preferences[facetsKey] && (
            <button
              type="button"
              className={styles.add}
              onClick={() => writePreferences({ [facetsKey]: null })}
            >
              Usual ones
            </button>
          )}
        </div>
      )}
      {facets && picking && (
        <FieldPicker question={question} chosen={names} label="Find a field" onToggle={toggle} />
      )}
    </div>
  );
}

function Failed({ error, onRetry }: { error: Error; onRetry: () => void }) {
  // The query bar says what is wrong with a query; here it is enough that nothing was counted.
  const wrongQuery = error instanceof ApiError && error.position !== null;
  return (
    <div className={styles.failed}>
      <p>
        {wrongQuery
          ? "Nothing is counted until the query can be read."
          : `No counts: ${sentence(error.message)}`}
      </p>
      {!wrongQuery && (
        <button type="button" className="button button-small" onClick={onRetry}>
          Count again
        </button>
      )}
    </div>
  );
}

const skeletonGroups = [3, 5, 4, 2];

function Loading() {
  return (
    <div className={styles.loading}>
      <span className="visually-hidden" role="status">
        Counting values
      </span>
      {skeletonGroups.map((rows) => (
        <div key={rows} className={styles.loadingGroup}>
          <span className="skeleton" />
          {Array.from({ length: rows }, (_, row) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the bars never change
            <span key={row} className={`skeleton ${styles.loadingRow}`} />
          ))}
        </div>
      ))}
    </div>
  );
}

/** The arrow keys go from value to value, over the facets' ends. */
function moveFocus(event: KeyboardEvent<HTMLDivElement>): void {
  const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  if (by === 0 || !(event.target instanceof Element) || event.target.getAttribute("role") !== "checkbox")
    return;
  event.preventDefault();
  const boxes = [...event.currentTarget.querySelectorAll<HTMLElement>("[role=checkbox]")];
  boxes[boxes.indexOf(event.target as HTMLElement) + by]?.focus();
}
