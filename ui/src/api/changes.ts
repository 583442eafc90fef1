// What people and programs did, as they told it: deployments, settings, schemas.
import { get } from "./http";
import { array, nullable, object, string } from "./validate";

export interface Change {
  /** RFC 3339. */
  at: string;
  service: string | null;
  /** What it was done to, where that is no service. */
  host: string | null;
  /** `deploy`, `config`, `flag`, `schema`, … */
  kind: string;
  text: string;
}

const changes = object<{ changes: Change[] }>({
  changes: array(
    object<Change>({
      at: string,
      service: nullable(string),
      host: nullable(string),
      kind: string,
      text: string,
    }),
  ),
});

/** The oldest first; at most 500, the newest of the range. */
export async function fetchChanges(
  range: { start: string; end: string },
  signal: AbortSignal,
): Promise<Change[]> {
  return (await get("/changes", range, changes, signal)).changes;
}
