import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect } from "react";
import { ApiError } from "../api/http";
import { fetchSession } from "../api/session";
import { Message } from "../components/Message";
import { headline } from "../lib/words";
import { LoginPage } from "../pages/login/LoginPage";
import { sessionKey } from "./session";
import { TenantScope } from "./TenantScope";

/** Shows the login page while there is no session; the URL stays, so that signing in leads to the linked view. */
export function SessionGate({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const session = useQuery({ queryKey: sessionKey, queryFn: ({ signal }) => fetchSession(signal) });

  // A session can end while the page is open: the first refused answer asks for the session anew.
  useEffect(
    () =>
      client.getQueryCache().subscribe(({ query }) => {
        const { error, status } = query.state;
        const expired = status === "error" && error instanceof ApiError && error.status === 401;
        if (
          expired &&
          query.queryKey[0] !== sessionKey[0] &&
          client.getQueryState(sessionKey)?.status === "success"
        ) {
          client.resetQueries({ queryKey: sessionKey });
        }
      }),
    [client],
  );

  if (session.isSuccess) return <TenantScope session={session.data}>{children}</TenantScope>;
  if (session.isPending) return null;
  if (session.error instanceof ApiError && session.error.status === 401) {
    return <LoginPage onSignedIn={() => client.resetQueries({ queryKey: sessionKey })} />;
  }
  return (
    <main>
      <Message
        kind="error"
        title={headline(session.error.message)}
        actions={
          <button type="button" className="button" onClick={() => session.refetch()}>
            Try again
          </button>
        }
      >
        {session.error instanceof ApiError ? session.error.hint : null}
      </Message>
    </main>
  );
}
