import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type ApiToken, revokeToken } from "../../api/access";
import { useMayAdmin } from "../../app/roles";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { FindField } from "../../components/FindField";
import { Icon } from "../../components/Icon";
import list from "../../components/List.module.css";
import { Message } from "../../components/Message";
import { hasEveryWord } from "../../lib/find";
import { plural } from "../../lib/number";
import { formatMoment } from "../../lib/time/format";
import { Answer, NotAllowed, NothingFound } from "./parts";
import { SettingsFrame } from "./SettingsFrame";
import { TokenDialog } from "./TokenDialog";
import { tokensKey, useTokens } from "./useAccess";
import { expiryText, tokenState } from "./words";

/** What programs show instead of a password. */
export function TokensPage() {
  const { allowed, why } = useMayAdmin();
  const client = useQueryClient();
  const tokens = useTokens(allowed);
  const [creating, setCreating] = useState(false);
  const [revoking, setRevoking] = useState<ApiToken | null>(null);
  const [text, setText] = useState("");
  const all = tokens.data ?? [];
  const shown = all.filter((token) => hasEveryWord(wordsOf(token), text));
  const changed = () => void client.invalidateQueries({ queryKey: tokensKey });
  return (
    <SettingsFrame title="API tokens">
      <div className={list.tools}>
        {all.length > 0 && (
          <FindField
            label="Find a token"
            placeholder="Find by name, scope, tenant"
            text={text}
            onText={setText}
          />
        )}
        <span className="text3 small" aria-live="polite">
          {tokens.data && plural(shown.length, "token")}
          {shown.length < all.length && ` of ${all.length}`}
        </span>
        <span className="grow" />
        <button
          type="button"
          className="button button-primary"
          disabled={!allowed}
          title={why ?? undefined}
          onClick={() => setCreating(true)}
        >
          <Icon name="plus" small />
          New token
        </button>
      </div>
      <NotAllowed why={why} />
      <Answer query={tokens}>
        {(found) =>
          found.length === 0 ? (
            <Message title="There are no tokens">
              Agents, exporters, CI and other programs take one as <code>Authorization: Bearer …</code>.
            </Message>
          ) : shown.length === 0 ? (
            <NothingFound one="token" all={all.length} onAll={() => setText("")} />
          ) : (
            <section className={`panel ${list.panel} ${list.scroll}`} aria-label="List of tokens">
              <table className={`${list.table} ${list.cards}`} aria-label="API tokens">
                <thead>
                  <tr>
                    <th scope="col">Name</th>
                    <th scope="col">Scopes</th>
                    <th scope="col">Tenants</th>
                    <th scope="col">Expires</th>
                    <th scope="col">Last used, UTC</th>
                    <th scope="col">Made, UTC</th>
                    <th scope="col">
                      <span className="visually-hidden">Actions</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {shown.map((token) => (
                    <Row key={token.id} token={token} onRevoke={() => setRevoking(token)} />
                  ))}
                </tbody>
              </table>
            </section>
          )
        }
      </Answer>
      {creating && <TokenDialog onMade={changed} onClose={() => setCreating(false)} />}
      {revoking && (
        <ConfirmDialog
          title={`Revoke the token ${revoking.name}?`}
          action={`Revoke ${revoking.name}`}
          run={() => revokeToken(revoking.id)}
          onDone={() => {
            setRevoking(null);
            changed();
          }}
          onClose={() => setRevoking(null)}
        >
          <p>
            Programs that use it are refused at once.
            {revoking.last_used_at !== null &&
              ` It was last used at ${formatMoment(Date.parse(revoking.last_used_at), "utc")} UTC.`}
          </p>
        </ConfirmDialog>
      )}
    </SettingsFrame>
  );
}

function Row({ token, onRevoke }: { token: ApiToken; onRevoke: () => void }) {
  const { name, scopes, tenants, created_at, created_by, expires_at, last_used_at, configured } = token;
  const nowMs = Date.now();
  const state = tokenState(token, nowMs);
  const level = { good: undefined, soon: list.warn, expired: list.crit }[state];
  return (
    <tr>
      <th scope="row" className={list.name}>
        {name}
      </th>
      <td data-label="scopes">
        <span className={list.tags}>
          {scopes.map((scope) => (
            <span key={scope} className="tag">
              {scope}
            </span>
          ))}
        </span>
      </td>
      <td data-label="tenants">{tenants === "*" ? "every tenant" : tenants.join(", ")}</td>
      <td
        data-label="expires"
        title={expires_at === null ? undefined : `${formatMoment(Date.parse(expires_at), "utc")} UTC`}
      >
        <span className={level}>{expiryText(token, nowMs)}</span>
      </td>
      <td data-label="last used" data-quiet={last_used_at === null}>
        {last_used_at === null ? "never" : formatMoment(Date.parse(last_used_at), "utc")}
      </td>
      <td data-label="made" data-quiet="true">
        {created_at === null ? created_by : `${formatMoment(Date.parse(created_at), "utc")} by ${created_by}`}
      </td>
      <td className={list.actions}>
        <button
          type="button"
          className="button button-quiet button-icon"
          aria-label={`Revoke ${name}`}
          title={configured ? "It stands in the configuration: take it out there" : "Revoke"}
          disabled={configured}
          onClick={onRevoke}
        >
          <Icon name="trash" small />
        </button>
      </td>
    </tr>
  );
}

function wordsOf({ name, scopes, tenants, created_by }: ApiToken): string {
  return [name, ...scopes, ...(tenants === "*" ? ["every tenant"] : tenants), created_by].join(" ");
}
