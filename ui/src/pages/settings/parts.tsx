import type { UseMutationResult, UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ApiError } from "../../api/http";
import { Failed } from "../../components/Failed";
import { Icon } from "../../components/Icon";
import list from "../../components/List.module.css";
import { Message } from "../../components/Message";
import { formatExact } from "../../lib/number";
import { sentence } from "../../lib/words";
import styles from "./Settings.module.css";

/** Why what is below cannot be done by this person. */
export function NotAllowed({ why }: { why: string | null }) {
  if (why === null) return null;
  return (
    <p className={styles.why}>
      <Icon name="account" small />
      {why}
    </p>
  );
}

/** What a query brought, or what stands in its place. */
export function Answer<T>({
  query,
  children,
}: {
  query: UseQueryResult<T>;
  children: (data: T) => ReactNode;
}) {
  const { data, error, isLoading, refetch } = query;
  if (data !== undefined) return children(data);
  if (error) return <Failed error={error} onRetry={() => void refetch()} />;
  return isLoading ? <div className={`panel skeleton ${list.skeleton}`} /> : null;
}

/** Nothing in the list has the words that are looked for. */
export function NothingFound({ one, all, onAll }: { one: string; all: number; onAll: () => void }) {
  return (
    <Message
      title={`No ${one} is like this`}
      actions={
        <button type="button" className="button" onClick={onAll}>
          Show all {formatExact(all)}
        </button>
      }
    />
  );
}

/** What the collector refused, and what to do. */
export function Refusal({ of }: { of: Pick<UseMutationResult, "error"> }) {
  const { error } = of;
  if (!error) return null;
  const hint = error instanceof ApiError ? error.hint : null;
  return (
    <p className={styles.error} role="alert">
      {[error.message, hint ?? ""].filter(Boolean).map(sentence).join(" ")}
    </p>
  );
}
