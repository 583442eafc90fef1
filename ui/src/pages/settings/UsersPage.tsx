import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { deleteUser, everyTenant, type User } from "../../api/access";
import { useMayAdmin } from "../../app/roles";
import { useSession } from "../../app/session";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { FindField } from "../../components/FindField";
import { Icon } from "../../components/Icon";
import list from "../../components/List.module.css";
import { StateDot } from "../../components/StateDot";
import { hasEveryWord } from "../../lib/find";
import { plural } from "../../lib/number";
import { formatMoment } from "../../lib/time/format";
import { encodeLogsView, plainView as plainLogs } from "../logs/url";
import { PasswordDialog } from "./PasswordDialog";
import { Answer, NotAllowed, NothingFound } from "./parts";
import styles from "./Settings.module.css";
import { SettingsFrame } from "./SettingsFrame";
import { UserDialog } from "./UserDialog";
import { usersKey, useUsers } from "./useAccess";
import { rolesText } from "./words";

type Doing = { what: "create" } | { what: "change" | "password" | "delete"; user: User };

/** Who may log in, and what each may do where. */
export function UsersPage() {
  const { allowed, why } = useMayAdmin();
  const { user: me, tenant } = useSession();
  const client = useQueryClient();
  const users = useUsers(allowed);
  const [doing, setDoing] = useState<Doing | null>(null);
  const [text, setText] = useState("");
  const done = () => {
    setDoing(null);
    void client.invalidateQueries({ queryKey: usersKey });
  };
  const close = () => setDoing(null);
  const all = users.data ?? [];
  const shown = all.filter(({ name, roles }) => hasEveryWord(`${name} ${rolesText(roles)}`, text));
  const everywhere = all.find(({ name }) => name === me)?.roles[everyTenant] === "admin";
  return (
    <SettingsFrame title="Users">
      <div className={list.tools}>
        {all.length > 0 && (
          <FindField label="Find a user" placeholder="Find by name or role" text={text} onText={setText} />
        )}
        <span className="text3 small" aria-live="polite">
          {users.data && plural(shown.length, "user")}
          {shown.length < all.length && ` of ${all.length}`}
        </span>
        <span className="grow" />
        {allowed && tenant === "default" && (
          <Link
            to="/logs"
            search={encodeLogsView({
              ...plainLogs,
              query: "scope:audit",
              range: { from: "now-7d", to: "now" },
            })}
            className="button"
          >
            <Icon name="logs" small />
            Who changed what
          </Link>
        )}
        <button
          type="button"
          className="button button-primary"
          disabled={!allowed}
          title={why ?? undefined}
          onClick={() => setDoing({ what: "create" })}
        >
          <Icon name="plus" small />
          New user
        </button>
      </div>
      <NotAllowed why={why} />
      <Answer query={users}>
        {() =>
          shown.length === 0 && all.length > 0 ? (
            <NothingFound one="user" all={all.length} onAll={() => setText("")} />
          ) : (
            <section className={`panel ${list.panel} ${list.scroll}`} aria-label="List of users">
              <table className={`${list.table} ${list.cards}`} aria-label="Users">
                <thead>
                  <tr>
                    <th scope="col">Name</th>
                    <th scope="col">May</th>
                    <th scope="col">Logging in</th>
                    <th scope="col">Created, UTC</th>
                    <th scope="col">
                      <span className="visually-hidden">Actions</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {shown.map((user) => (
                    <Row key={user.name} user={user} isMe={user.name === me} onDo={setDoing} />
                  ))}
                </tbody>
              </table>
            </section>
          )
        }
      </Answer>
      {doing?.what === "create" && (
        <UserDialog
          user={null}
          names={all.map(({ name }) => name)}
          everywhere={everywhere}
          onDone={done}
          onClose={close}
        />
      )}
      {doing?.what === "change" && (
        <UserDialog user={doing.user} names={[]} everywhere={everywhere} onDone={done} onClose={close} />
      )}
      {doing?.what === "password" && <PasswordDialog name={doing.user.name} onDone={done} onClose={close} />}
      {doing?.what === "delete" && (
        <ConfirmDialog
          title={`Delete the user ${doing.user.name}?`}
          action={`Delete ${doing.user.name}`}
          run={() => deleteUser(doing.user.name)}
          onDone={done}
          onClose={close}
        >
          <p>Their sessions end at once. Tokens, views and dashboards that they made stay.</p>
        </ConfirmDialog>
      )}
    </SettingsFrame>
  );
}

function Row({ user, isMe, onDo }: { user: User; isMe: boolean; onDo: (doing: Doing) => void }) {
  const { name, roles, disabled, created_at } = user;
  const first = created_at === null;
  const kept = first ? "The first start's user stays: disable it instead" : isMe ? "This is you" : null;
  const action = (
    what: "change" | "password" | "delete",
    icon: "edit" | "key" | "trash",
    label: string,
    not: string | null,
  ) => (
    <button
      type="button"
      className="button button-quiet button-icon"
      aria-label={`${label} ${name}`}
      title={not ?? label}
      disabled={not !== null}
      onClick={() => onDo({ what, user })}
    >
      <Icon name={icon} small />
    </button>
  );
  return (
    <tr>
      <th scope="row" className={list.name}>
        {name}
        {isMe && <span className={`text3 ${styles.me}`}> you</span>}
      </th>
      <td data-label="may">{rolesText(roles)}</td>
      <td data-label="logging in">
        {disabled ? <StateDot level="warn">disabled</StateDot> : <span className="text3">allowed</span>}
      </td>
      <td data-label="created" data-quiet="true">
        {first ? "at the first start" : formatMoment(Date.parse(created_at), "utc")}
      </td>
      <td className={list.actions}>
        {action("change", "edit", "Change", null)}
        {action(
          "password",
          "key",
          "New password for",
          isMe ? "Your own is changed under Your account" : null,
        )}
        {action("delete", "trash", "Delete", kept)}
      </td>
    </tr>
  );
}
