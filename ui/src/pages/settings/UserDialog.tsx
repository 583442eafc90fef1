import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { changeUser, createUser, everyTenant, type Roles, type User } from "../../api/access";
import { roles as allRoles, type Role } from "../../api/session";
import { useSession } from "../../app/session";
import { Dialog } from "../../components/Dialog";
import { PasswordField } from "./PasswordField";
import { Refusal } from "./parts";
import styles from "./Settings.module.css";
import { TextField } from "./TextField";
import { nameProblem, passwordProblem } from "./words";

interface UserDialogProps {
  /** Null: one to be. */
  user: User | null;
  /** Those that are taken. */
  names: string[];
  /** Whoever asks may give roles in every tenant at once. */
  everywhere: boolean;
  onDone: () => void;
  onClose: () => void;
}

/** A user's name and first password, and what they may do in each tenant. */
export function UserDialog({ user, names, everywhere, onDone, onClose }: UserDialogProps) {
  const { tenants, user: me } = useSession();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [roles, setRoles] = useState<Roles>(user?.roles ?? {});
  const [disabled, setDisabled] = useState(user?.disabled ?? false);
  const [told, setTold] = useState(false);
  const problems = {
    name: user ? null : nameProblem(name, names),
    password: user ? null : passwordProblem(password),
    roles: !user && Object.keys(roles).length === 0 ? "Give at least one role." : null,
  };
  const save = useMutation({
    mutationFn: () =>
      user ? changeUser(user.name, { roles, disabled }) : createUser({ name, password, roles }),
    onSuccess: onDone,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTold(true);
    if (Object.values(problems).every((problem) => problem === null)) save.mutate();
  };
  const administered = tenants.filter(({ role }) => role === "admin").map((tenant) => tenant.name);
  const offered = [
    ...(everywhere || everyTenant in roles ? [everyTenant] : []),
    ...new Set([...administered, ...Object.keys(user?.roles ?? {}).filter((one) => one !== everyTenant)]),
  ];
  const setRole = (tenant: string, role: Role | "") => {
    const { [tenant]: _, ...others } = roles;
    setRoles(role === "" ? others : { ...others, [tenant]: role });
  };
  return (
    <Dialog title={user ? `What ${user.name} may do` : "New user"} onClose={onClose}>
      <form className={styles.form} noValidate onSubmit={submit}>
        {!user && (
          <>
            <TextField
              label="Name"
              value={name}
              maxLength={80}
              problem={told ? problems.name : null}
              onChange={setName}
            />
            <PasswordField
              label="Password"
              autoComplete="new-password"
              value={password}
              problem={told ? problems.password : null}
              hint="12 characters or more. They can change it under Your account."
              onChange={setPassword}
            />
          </>
        )}
        <fieldset>
          <legend>Role by tenant</legend>
          <div className={`${styles.roles} ${styles.scrolls}`}>
            {offered.map((tenant) => (
              <RoleRow
                key={tenant}
                tenant={tenant}
                role={roles[tenant] ?? ""}
                onChange={(role) => setRole(tenant, role)}
              />
            ))}
          </div>
          <p className={styles.hint}>
            A viewer reads everything; an editor also changes views, dashboards and silences and sends tests;
            an admin also users and tokens, and deletes data.
          </p>
          {told && problems.roles && <p className={styles.error}>{problems.roles}</p>}
        </fieldset>
        {user && (
          <label className={styles.check}>
            <input
              type="checkbox"
              checked={disabled}
              disabled={user.name === me}
              onChange={(event) => setDisabled(event.target.checked)}
            />
            <span>
              Disabled: may not log in
              {user.name === me && <span className={styles.hint}> (this is you)</span>}
            </span>
          </label>
        )}
        {user && <p className={styles.hint}>When anything changes, their sessions end.</p>}
        <Refusal of={save} />
        <div className={styles.buttons}>
          <button type="submit" className="button button-primary" disabled={save.isPending}>
            {user ? "Save" : "Create the user"}
          </button>
          <button type="button" className="button button-quiet" onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}

interface RoleRowProps {
  tenant: string;
  role: Role | "";
  onChange: (role: Role | "") => void;
}

function RoleRow({ tenant, role, onChange }: RoleRowProps) {
  const name = tenant === everyTenant ? "every tenant" : tenant;
  return (
    <>
      <span>{name}</span>
      <select
        className="field"
        aria-label={`Role of ${name}`}
        value={role}
        onChange={(event) => onChange(event.target.value as Role | "")}
      >
        <option value="">no role</option>
        {allRoles.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
    </>
  );
}
