import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { setRequestTenant } from "../api/scope";
import type { Session } from "../api/session";
import { usePreferences } from "../components/usePreferences";
import { forgetAnswers, SessionContext } from "./session";

/** The session as it is in the tenant that is looked at; another tenant is another app, made anew. */
export function TenantScope({ session, children }: { session: Session; children: ReactNode }) {
  const { tenant } = usePreferences();
  const chosen = session.tenants.find(({ name }) => name === tenant);
  const looked: Session = chosen ? { ...session, tenant: chosen.name, role: chosen.role } : session;
  return (
    <OneTenant
      key={looked.tenant}
      session={looked}
      header={looked.tenant === session.tenant ? null : looked.tenant}
    >
      {children}
    </OneTenant>
  );
}

interface OneTenantProps {
  session: Session;
  /** null: the server looks there by itself. */
  header: string | null;
  children: ReactNode;
}

function OneTenant({ session, header, children }: OneTenantProps) {
  const client = useQueryClient();
  // Before the first request of what is below, and once per tenant.
  useState(() => {
    setRequestTenant(header);
    forgetAnswers(client);
  });
  return <SessionContext value={session}>{children}</SessionContext>;
}
