import type { PatternsAnswer } from "../../../api/patterns";
import { FacetGroup } from "../../../components/facets/FacetGroup";
import styles from "../../../components/facets/Facets.module.css";
import { usePreferences } from "../../../components/usePreferences";
import type { Question } from "../../../lib/query/question";
import { labelsOf, patternFacet } from "./patternFacet";

interface PatternFacetProps {
  /** Of the query without what it says about patterns. */
  answer: PatternsAnswer | undefined;
  failed: boolean;
  question: Question;
  onQuery: (query: string) => void;
  /** To all of them. */
  onMore: () => void;
}

/** The most frequent patterns beside the other facets, by what they say. */
export function PatternFacet({ answer, failed, question, onQuery, onMore }: PatternFacetProps) {
  const { facetsFolded } = usePreferences();
  if (failed) return <p className={styles.note}>The patterns were not counted.</p>;
  // Without any there is nothing to choose; the tab says why.
  if (!answer || answer.patterns.length === 0) return null;
  return (
    <FacetGroup
      facet={patternFacet(answer)}
      labels={labelsOf(answer)}
      question={question}
      folded={facetsFolded.includes("pattern")}
      onQuery={onQuery}
      onRemove={null}
      onMore={onMore}
    />
  );
}
