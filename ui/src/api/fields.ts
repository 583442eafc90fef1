// What a query may name: for completion.
import { get } from "./http";
import { type ValueCount, valueCount } from "./patterns";
import { array, number, object, oneOf, string } from "./validate";

export interface FieldName {
  name: string;
  kind: "attribute" | "resource" | "builtin";
  type: "string" | "number" | "bool" | "mixed";
  /** Of the sampled records, 0 to 1. */
  share: number;
}

export const fields = object<{ fields: FieldName[] }>({
  fields: array(
    object<FieldName>({
      name: string,
      kind: oneOf("attribute", "resource", "builtin"),
      type: oneOf("string", "number", "bool", "mixed"),
      share: number,
    }),
  ),
});
const values = object<{ values: ValueCount[] }>({ values: array(valueCount) });

interface Among {
  query: string;
  start: string;
  end: string;
  prefix: string;
}

export async function fetchFieldNames(among: Among, signal: AbortSignal): Promise<FieldName[]> {
  return (await get("/logs/fields", { ...among }, fields, signal)).fields;
}

export async function fetchFieldValues(
  among: Among & { field: string; limit: number },
  signal: AbortSignal,
): Promise<ValueCount[]> {
  return (await get("/logs/values", { ...among }, values, signal)).values;
}
