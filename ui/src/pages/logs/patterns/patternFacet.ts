// The most frequent patterns as a facet: ids are its values, and templates are what a person reads.
import type { Facet } from "../../../api/facets";
import type { PatternsAnswer } from "../../../api/patterns";

const shown = 5;

export function patternFacet({ patterns, total, matched, without_pattern }: PatternsAnswer): Facet {
  const values = patterns.slice(0, shown).map(({ id, count }) => ({ value: id, count }));
  const listed = values.reduce((sum, { count }) => sum + count, 0);
  return {
    field: "pattern",
    values,
    // A query cannot ask for the records without one.
    missing: 0,
    other: Math.max(0, matched - without_pattern - listed),
    distinct: total,
  };
}

export function labelsOf({ patterns }: PatternsAnswer): Map<string, string> {
  return new Map(patterns.map(({ id, template }) => [id, template]));
}
