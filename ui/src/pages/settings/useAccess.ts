import { useQuery } from "@tanstack/react-query";
import { fetchSessions, fetchTenants, fetchTokens, fetchUsers } from "../../api/access";

export const usersKey = ["settings", "users"];
export const tokensKey = ["settings", "tokens"];
export const sessionsKey = ["settings", "sessions"];
const tenantsKey = ["settings", "tenants"];

/** Not asked for by somebody who would be refused. */
export function useUsers(enabled: boolean) {
  return useQuery({
    queryKey: usersKey,
    queryFn: ({ signal }) => fetchUsers(signal),
    staleTime: 0,
    enabled,
  });
}

export function useTokens(enabled: boolean) {
  return useQuery({
    queryKey: tokensKey,
    queryFn: ({ signal }) => fetchTokens(signal),
    staleTime: 0,
    refetchInterval: 30_000,
    enabled,
  });
}

export function useTenants() {
  return useQuery({
    queryKey: tenantsKey,
    queryFn: ({ signal }) => fetchTenants(signal),
    staleTime: 0,
    refetchInterval: 30_000,
  });
}

export function useSessions() {
  return useQuery({ queryKey: sessionsKey, queryFn: ({ signal }) => fetchSessions(signal), staleTime: 0 });
}
