// What a facet shows: the counted values, and those of the query that were not counted.
import type { Facet, FacetValue } from "../../api/facets";
import type { Choice, Scalar } from "../../lib/query/edit";
import { isSeverity, severities } from "../../lib/severity";

export type ValueState = "plain" | "included" | "excluded";

export interface FacetRow {
  value: Scalar;
  /** null: not counted. */
  count: number | null;
  /** Of the facet's most frequent value, 0 to 1. */
  share: number;
  state: ValueState;
}

export function rowsOf(field: string, values: FacetValue[], choice: Choice): FacetRow[] {
  const known = new Set(values.map(({ value }) => String(value)));
  const chosen = [...choice.included, ...choice.excluded].filter((text) => !known.has(text));
  const most = Math.max(1, ...values.map(({ count }) => count));
  const rows = [
    ...values.map(({ value, count }): FacetRow => {
      return { value, count, share: count / most, state: stateOf(value, choice) };
    }),
    ...chosen.map((value): FacetRow => ({ value, count: null, share: 0, state: stateOf(value, choice) })),
  ];
  // Severities have an order of their own, the worst first.
  return field === "severity" ? rows.sort((a, b) => rankOf(a.value) - rankOf(b.value)) : rows;
}

/** How many values are not shown; null when nobody knows. */
export function hiddenValues(facet: Facet): number | null {
  if (facet.distinct === null) return facet.other > 0 ? null : 0;
  return Math.max(0, facet.distinct - facet.values.length);
}

function stateOf(value: Scalar, choice: Choice): ValueState {
  if (choice.included.includes(String(value))) return "included";
  return choice.excluded.includes(String(value)) ? "excluded" : "plain";
}

function rankOf(value: Scalar): number {
  const name = String(value);
  return isSeverity(name) ? severities.indexOf(name) : severities.length;
}
