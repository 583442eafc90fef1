import { call, get } from "./http";
import { array, object, oneOf, string } from "./validate";

export const roles = ["viewer", "editor", "admin"] as const;
export type Role = (typeof roles)[number];

export interface TenantRole {
  name: string;
  role: Role;
}

export interface Session {
  user: string;
  role: Role;
  tenant: string;
  tenants: TenantRole[];
}

export const role = oneOf<Role>(...roles);
const session = object<Session>({
  user: string,
  role,
  tenant: string,
  tenants: array(object<TenantRole>({ name: string, role })),
});

export function fetchSession(signal: AbortSignal): Promise<Session> {
  return get("/session", {}, session, signal);
}

export function signIn(user: string, password: string): Promise<void> {
  return call("POST", "/session", { user, password });
}

export function signOut(): Promise<void> {
  return call("DELETE", "/session");
}
