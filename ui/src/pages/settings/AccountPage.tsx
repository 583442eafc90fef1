import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { type AccessSession, changeOwnPassword, endSession } from "../../api/access";
import { useSession } from "../../app/session";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import list from "../../components/List.module.css";
import { formatMoment } from "../../lib/time/format";
import { PasswordField } from "./PasswordField";
import { Answer, Refusal } from "./parts";
import styles from "./Settings.module.css";
import { SettingsFrame } from "./SettingsFrame";
import { sessionsKey, useSessions } from "./useAccess";
import { passwordProblem, roleWords } from "./words";

/** Who is logged in, the own password, and from where else one is. */
export function AccountPage() {
  const { user, tenants } = useSession();
  return (
    <SettingsFrame title="Your account">
      <section className={`panel ${styles.narrow}`} aria-label="You">
        <h2>{user}</h2>
        <ul className={styles.mine}>
          {tenants.map(({ name, role }) => (
            <li key={name}>
              <span className="text1">{name}</span>
              <span>{roleWords[role]}</span>
            </li>
          ))}
        </ul>
      </section>
      <Password />
      <Sessions />
    </SettingsFrame>
  );
}

function Password() {
  const client = useQueryClient();
  const [current, setCurrent] = useState("");
  const [password, setPassword] = useState("");
  const [told, setTold] = useState(false);
  const problems = {
    current: current === "" ? "Type the password of now." : null,
    password: passwordProblem(password) ?? (password === current ? "It is the same as before." : null),
  };
  const save = useMutation({
    mutationFn: () => changeOwnPassword(current, password),
    onSuccess: () => {
      setCurrent("");
      setPassword("");
      setTold(false);
      void client.invalidateQueries({ queryKey: sessionsKey });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTold(true);
    if (problems.current === null && problems.password === null) save.mutate();
  };
  return (
    <section className={`panel ${styles.narrow}`} aria-label="Password">
      <h2>Password</h2>
      <form className={styles.form} noValidate onSubmit={submit}>
        <PasswordField
          label="Current password"
          autoComplete="current-password"
          value={current}
          problem={told ? problems.current : null}
          onChange={setCurrent}
        />
        <PasswordField
          label="New password"
          autoComplete="new-password"
          value={password}
          problem={told ? problems.password : null}
          hint="12 characters or more. Your other sessions end."
          onChange={setPassword}
        />
        <Refusal of={save} />
        <div className={styles.buttons}>
          <button type="submit" className="button button-primary" disabled={save.isPending}>
            Change the password
          </button>
          <span role="status" className={styles.done}>
            {save.isSuccess && !told && "Changed. Your other sessions have ended."}
          </span>
        </div>
      </form>
    </section>
  );
}

function Sessions() {
  const { user } = useSession();
  const client = useQueryClient();
  const sessions = useSessions();
  const [ending, setEnding] = useState<AccessSession | null>(null);
  return (
    <>
      <Answer query={sessions}>
        {(found) => {
          const others = found.some((one) => one.user !== user);
          return (
            <section className={`panel ${list.panel}`} aria-label="Sessions">
              <div className={list.head}>
                <h2>Sessions</h2>
                <span className="text3 small">
                  {others ? "yours, and those of users whom you administer" : "where you are logged in"}
                </span>
              </div>
              <div className={list.scroll}>
                <table className={`${list.table} ${list.cards}`} aria-label="Sessions">
                  <thead>
                    <tr>
                      <th scope="col">User</th>
                      <th scope="col">From</th>
                      <th scope="col">Since, UTC</th>
                      <th scope="col">Until, UTC</th>
                      <th scope="col">
                        <span className="visually-hidden">Actions</span>
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {found.map((session) => (
                      <Row key={session.id} session={session} onEnd={() => setEnding(session)} />
                    ))}
                  </tbody>
                </table>
              </div>
            </section>
          );
        }}
      </Answer>
      {ending && (
        <ConfirmDialog
          title={`End the session of ${ending.user} from ${ending.address || "an unknown address"}?`}
          action="End the session"
          run={() => endSession(ending.id)}
          onDone={() => {
            setEnding(null);
            void client.invalidateQueries({ queryKey: sessionsKey });
          }}
          onClose={() => setEnding(null)}
        >
          <p>Whoever uses it has to log in again.</p>
        </ConfirmDialog>
      )}
    </>
  );
}

function Row({ session, onEnd }: { session: AccessSession; onEnd: () => void }) {
  const { user, address, created_at, expires_at, current } = session;
  return (
    <tr>
      <th scope="row" className={list.name}>
        {user}
        {current && <span className={`text3 ${styles.me}`}> this one</span>}
      </th>
      <td data-label="from">
        <span className="mono">{address || "–"}</span>
      </td>
      <td data-label="since">{created_at === null ? "–" : formatMoment(Date.parse(created_at), "utc")}</td>
      <td data-label="until">{formatMoment(Date.parse(expires_at), "utc")}</td>
      <td className={list.actions}>
        <button
          type="button"
          className="button button-small"
          aria-label={`End the session of ${user} from ${address}`}
          title={current ? "This is the session that you use: sign out instead" : undefined}
          disabled={current}
          onClick={onEnd}
        >
          End
        </button>
      </td>
    </tr>
  );
}
