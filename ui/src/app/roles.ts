// What the role of a session allows. The collector decides; the pages say it beforehand.
import { useSession } from "./session";

export interface Permission {
  allowed: boolean;
  /** Why not, as a sentence; null where it is allowed. */
  why: string | null;
}

/** May this person change silences, views and dashboards? */
export function useMayEdit(): Permission {
  const { role, tenant } = useSession();
  const allowed = role !== "viewer";
  const why = `You are a viewer of ${tenant}: editors and admins may do this.`;
  return { allowed, why: allowed ? null : why };
}

/** May this person see and change users, tokens and what belongs to the tenant itself? */
export function useMayAdmin(): Permission {
  const { role, tenant } = useSession();
  const allowed = role === "admin";
  const why = `You are ${role === "editor" ? "an editor" : "a viewer"} of ${tenant}: only its admins may do this.`;
  return { allowed, why: allowed ? null : why };
}
