import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { createContext, useContext } from "react";
import { forgetKept } from "../api/scope";
import { type Session, signOut } from "../api/session";

export const sessionKey = ["session"];

/** Set by SessionGate; everything below it has a session. */
export const SessionContext = createContext<Session | null>(null);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error("useSession is used outside SessionGate");
  return session;
}

/** Drops every answer, also those beside the query cache: the next are another person's, or another tenant's. */
export function forgetAnswers(client: QueryClient): void {
  client.removeQueries({ predicate: (query) => query.queryKey[0] !== sessionKey[0] });
  forgetKept();
}

/** Ends the session and forgets every answer, so that the next person sees nothing of this one. */
export function useSignOut(): () => Promise<void> {
  const client: QueryClient = useQueryClient();
  return async () => {
    await signOut();
    forgetAnswers(client);
    await client.resetQueries({ queryKey: sessionKey });
  };
}
