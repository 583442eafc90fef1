// How often each value of a field occurs among the records that match.
import type { Scalar } from "../lib/query/edit";
import { get } from "./http";
import { array, boolean, type Check, nullable, number, object, ShapeError, string } from "./validate";

export interface FacetValue {
  value: Scalar;
  count: number;
}

export interface Facet {
  field: string;
  /** The most frequent first. */
  values: FacetValue[];
  /** Records without the field. */
  missing: number;
  /** Records whose value is not among `values`. */
  other: number;
  /** How many values there are; null above 1,000. */
  distinct: number | null;
}

export interface FacetsAnswer {
  fields: Facet[];
  matched: number;
  /** Counted over a part of the matching records only. */
  sampled: boolean;
  partial: boolean;
  warnings: string[];
}

const scalar: Check<Scalar> = (value, path) => {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  throw new ShapeError(path, "a string, a number, true or false");
};
const facetValue = object<FacetValue>({ value: scalar, count: number });
export const facetsAnswer = object<FacetsAnswer>({
  fields: array(
    object<Facet>({
      field: string,
      values: array(facetValue),
      missing: number,
      other: number,
      distinct: nullable(number),
    }),
  ),
  matched: number,
  sampled: boolean,
  partial: boolean,
  warnings: array(string),
});
const valuesAnswer = object<{ values: FacetValue[] }>({ values: array(facetValue) });

interface Among {
  query: string;
  start: string;
  end: string;
}

/** Without `fields` the server chooses: severity, service, host and the attributes that occur most. */
export function fetchFacets(
  among: Among & { fields?: string | undefined; limit: number },
  signal: AbortSignal,
): Promise<FacetsAnswer> {
  return get("/logs/facets", { ...among }, facetsAnswer, signal);
}

/** The most frequent values of one field that begin with `prefix`. */
export async function fetchFacetValues(
  among: Among & { field: string; prefix: string; limit: number },
  signal: AbortSignal,
): Promise<FacetValue[]> {
  return (await get("/logs/values", { ...among }, valuesAnswer, signal)).values;
}
