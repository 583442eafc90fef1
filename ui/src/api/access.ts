// Who may look: users, tokens, tenants with what they store, and sessions.
import { call, change, get } from "./http";
import { type Role, role } from "./session";
import { array, boolean, type Check, nullable, number, object, oneOf, ShapeError, string } from "./validate";

/** Stands for every tenant. */
export const everyTenant = "*";

export type Roles = Record<string, Role>;

export interface User {
  name: string;
  /** By tenant; `*` is every tenant. */
  roles: Roles;
  disabled: boolean;
  /** Null: the user of the first start. */
  created_at: string | null;
}

export const scopes = ["ingest", "read", "write", "admin"] as const;
export type Scope = (typeof scopes)[number];

export interface ApiToken {
  id: string;
  name: string;
  scopes: Scope[];
  tenants: string[] | "*";
  created_at: string | null;
  created_by: string;
  expires_at: string | null;
  last_used_at: string | null;
  /** It stands in the configuration and cannot be taken back here. */
  configured: boolean;
}

export interface NewToken {
  name: string;
  scopes: Scope[];
  tenants: string[] | "*";
  expires_at: string | null;
}

export interface MadeToken extends ApiToken {
  /** Its text, told once. */
  token: string;
}

export interface Tenant {
  name: string;
  configured: boolean;
  role: Role | null;
  /** "15d"; "0s" is for ever. */
  retention: string;
  limits: {
    ingest_bytes_per_second: number | null;
    ingest_records_per_second: number | null;
    active_series: number | null;
    active_series_per_metric: number | null;
  };
  storage: {
    logs_bytes: number;
    series_bytes: number;
    traces_bytes: number;
    records: number;
    spans: number | null;
    samples: number | null;
    active_series: number;
  };
}

export interface Tenants {
  tenants: Tenant[];
  /** Null for who does not administer all of them. */
  total_bytes: number | null;
  journal_bytes: number | null;
}

export interface AccessSession {
  id: string;
  user: string;
  created_at: string | null;
  expires_at: string;
  address: string;
  /** It is this one. */
  current: boolean;
}

const roles: Check<Roles> = (value, path) => {
  if (typeof value !== "object" || value === null) throw new ShapeError(path, "an object");
  return Object.fromEntries(
    Object.entries(value).map(([tenant, one]) => [tenant, role(one, `${path}.${tenant}`)]),
  );
};
const user = object<User>({ name: string, roles, disabled: boolean, created_at: nullable(string) });
const tokenTenants: Check<string[] | "*"> = (value, path) =>
  value === "*" ? "*" : array(string)(value, path);
const tokenFields: { [K in keyof ApiToken]: Check<ApiToken[K]> } = {
  id: string,
  name: string,
  scopes: array(oneOf<Scope>(...scopes)),
  tenants: tokenTenants,
  created_at: nullable(string),
  created_by: string,
  expires_at: nullable(string),
  last_used_at: nullable(string),
  configured: (value, path) => nullable(boolean)(value, path) ?? false,
};
const tenant = object<Tenant>({
  name: string,
  configured: boolean,
  role: nullable(role),
  retention: string,
  limits: object<Tenant["limits"]>({
    ingest_bytes_per_second: nullable(number),
    ingest_records_per_second: nullable(number),
    active_series: nullable(number),
    active_series_per_metric: nullable(number),
  }),
  storage: object<Tenant["storage"]>({
    logs_bytes: number,
    series_bytes: number,
    traces_bytes: number,
    records: number,
    spans: nullable(number),
    samples: nullable(number),
    active_series: number,
  }),
});
const tenantsAnswer = object<Tenants>({
  tenants: array(tenant),
  total_bytes: nullable(number),
  journal_bytes: nullable(number),
});
const sessionsAnswer = object<{ sessions: AccessSession[] }>({
  sessions: array(
    object<AccessSession>({
      id: string,
      user: string,
      created_at: nullable(string),
      expires_at: string,
      address: string,
      current: boolean,
    }),
  ),
});
const at = (path: string, name: string, part = "") => `${path}/${encodeURIComponent(name)}${part}`;

export async function fetchUsers(signal: AbortSignal): Promise<User[]> {
  return (await get("/users", {}, object<{ users: User[] }>({ users: array(user) }), signal)).users;
}

export function createUser(wanted: { name: string; password: string; roles: Roles }): Promise<unknown> {
  return change("POST", "/users", wanted, (value) => value);
}

/** All sessions of the user end. */
export function changeUser(name: string, to: { roles?: Roles; disabled?: boolean }): Promise<unknown> {
  return change("PUT", at("/users", name), to, (value) => value);
}

export function setPassword(name: string, password: string): Promise<void> {
  return call("PUT", at("/users", name, "/password"), { password });
}

export function deleteUser(name: string): Promise<void> {
  return call("DELETE", at("/users", name));
}

export async function fetchTokens(signal: AbortSignal): Promise<ApiToken[]> {
  const answer = object<{ tokens: ApiToken[] }>({ tokens: array(object<ApiToken>(tokenFields)) });
  return (await get("/tokens", {}, answer, signal)).tokens;
}

export function createToken(wanted: NewToken): Promise<MadeToken> {
  return change("POST", "/tokens", wanted, object<MadeToken>({ ...tokenFields, token: string }));
}

export function revokeToken(id: string): Promise<void> {
  return call("DELETE", at("/tokens", id));
}

export function fetchTenants(signal: AbortSignal): Promise<Tenants> {
  return get("/tenants", {}, tenantsAnswer, signal);
}

/** One's own, and those of users whom one administers; the newest first. */
export async function fetchSessions(signal: AbortSignal): Promise<AccessSession[]> {
  return (await get("/sessions", {}, sessionsAnswer, signal)).sessions;
}

export function endSession(id: string): Promise<void> {
  return call("DELETE", at("/sessions", id));
}

/** Every other session ends; this one goes on. */
export function changeOwnPassword(current: string, password: string): Promise<void> {
  return call("PUT", "/session/password", { current, password });
}
