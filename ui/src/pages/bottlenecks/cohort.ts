// Rows of what slow requests share. Pure.
import type { CohortRow } from "../../api/bottlenecks";
import { canName, fieldCondition } from "../../lib/query/edit";

/** Two services may have the same attribute with the same value. */
export function rowKey({ service, attribute, value }: CohortRow): string {
  return [service, attribute, value].join("\u0000");
}

/** The traces that have it in a span of that service; null: a comparison is no condition of one value. */
export function cohortQuery({ service, attribute, value }: CohortRow): string | null {
  if (!canName(attribute) || /^[≥≤<>]/.test(value)) return null;
  const conditions = [service !== "" && fieldCondition("service", service), fieldCondition(attribute, value)];
  return `traces:${conditions.filter(Boolean).join(" ")}`;
}
