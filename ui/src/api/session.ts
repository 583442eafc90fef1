import { call, get } from "./http";
import { array, object, string } from "./validate";

export interface TenantRole {
  name: string;
  role: string;
}

export interface Session {
  user: string;
  role: string;
  tenant: string;
  tenants: TenantRole[];
}

const tenantRole = object<TenantRole>({ name: string, role: string });
const session = object<Session>({ user: string, role: string, tenant: string, tenants: array(tenantRole) });

export function fetchSession(signal: AbortSignal): Promise<Session> {
  return get("/session", {}, session, signal);
}

export function signIn(user: string, password: string): Promise<void> {
  return call("POST", "/session", { user, password });
}

export function signOut(): Promise<void> {
  return call("DELETE", "/session");
}
