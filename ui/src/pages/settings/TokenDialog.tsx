import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { scopes as allScopes, createToken, type MadeToken, type Scope } from "../../api/access";
import { useSession } from "../../app/session";
import { CopyButton } from "../../components/CopyButton";
import { Dialog } from "../../components/Dialog";
import { formatDuration, formatMoment } from "../../lib/time/format";
import { Refusal } from "./parts";
import styles from "./Settings.module.css";
import { TextField } from "./TextField";
import { scopeWords } from "./words";

const dayMs = 86_400_000;
const lifetimesMs = [7 * dayMs, 30 * dayMs, 90 * dayMs, 365 * dayMs, null];

interface TokenDialogProps {
  onMade: () => void;
  onClose: () => void;
}

/** A token to be; then its text, once. */
export function TokenDialog({ onMade, onClose }: TokenDialogProps) {
  const [made, setMade] = useState<MadeToken | null>(null);
  if (made) return <Made token={made} onClose={onClose} />;
  return (
    <Dialog title="New token" onClose={onClose}>
      <TokenForm
        onMade={(token) => {
          setMade(token);
          onMade();
        }}
        onClose={onClose}
      />
    </Dialog>
  );
}

function TokenForm({ onMade, onClose }: { onMade: (token: MadeToken) => void; onClose: () => void }) {
  const { tenant, tenants } = useSession();
  const administered = tenants.filter(({ role }) => role === "admin").map(({ name }) => name);
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<Scope[]>(["read"]);
  const [chosen, setChosen] = useState<string[]>([tenant]);
  const [lifetimeMs, setLifetime] = useState<number | null>(90 * dayMs);
  const [told, setTold] = useState(false);
  const problems = {
    name: name.trim() === "" ? "Name what the token is for." : null,
    scopes: scopes.length === 0 ? "Choose at least one." : null,
    tenants: chosen.length === 0 ? "Choose at least one." : null,
  };
  const create = useMutation({
    mutationFn: () =>
      createToken({
        name: name.trim(),
        scopes,
        tenants: chosen,
        expires_at: lifetimeMs === null ? null : new Date(Date.now() + lifetimeMs).toISOString(),
      }),
    onSuccess: onMade,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTold(true);
    if (Object.values(problems).every((problem) => problem === null)) create.mutate();
  };
  return (
    <form className={styles.form} noValidate onSubmit={submit}>
      <TextField
        label="Name"
        value={name}
        maxLength={100}
        placeholder="ci, or agents of the second rack"
        problem={told ? problems.name : null}
        onChange={setName}
      />
      <fieldset>
        <legend>Scopes</legend>
        {allScopes.map((scope) => (
          <Check
            key={scope}
            label={scope}
            hint={scopeWords[scope]}
            checked={scopes.includes(scope)}
            onChange={(on) =>
              setScopes(allScopes.filter((one) => (one === scope ? on : scopes.includes(one))))
            }
          />
        ))}
        {told && problems.scopes && <p className={styles.error}>{problems.scopes}</p>}
      </fieldset>
      <fieldset>
        <legend>Tenants</legend>
        <div className={styles.scrolls}>
          {administered.map((one) => (
            <Check
              key={one}
              label={one}
              checked={chosen.includes(one)}
              onChange={(on) =>
                setChosen(administered.filter((other) => (other === one ? on : chosen.includes(other))))
              }
            />
          ))}
        </div>
        {told && problems.tenants && <p className={styles.error}>{problems.tenants}</p>}
      </fieldset>
      <fieldset>
        <legend>Expires</legend>
        <div className={styles.durations}>
          {lifetimesMs.map((ms) => (
            <button
              key={ms}
              type="button"
              className="button button-small"
              aria-pressed={lifetimeMs === ms}
              onClick={() => setLifetime(ms)}
            >
              {ms === null ? "never" : `in ${formatDuration(ms)}`}
            </button>
          ))}
        </div>
      </fieldset>
      <Refusal of={create} />
      <div className={styles.buttons}>
        <button type="submit" className="button button-primary" disabled={create.isPending}>
          Create the token
        </button>
        <button type="button" className="button button-quiet" onClick={onClose}>
          Cancel
        </button>
      </div>
    </form>
  );
}

interface CheckProps {
  label: string;
  hint?: string;
  checked: boolean;
  onChange: (on: boolean) => void;
}

function Check({ label, hint, checked, onChange }: CheckProps) {
  return (
    <label className={styles.check}>
      <input type="checkbox" checked={checked} onChange={(event) => onChange(event.target.checked)} />
      <span>
        {label}
        {hint && <span className={styles.hint}> {hint}</span>}
      </span>
    </label>
  );
}

function Made({ token, onClose }: { token: MadeToken; onClose: () => void }) {
  return (
    <Dialog title={`The token ${token.name}`} onClose={onClose}>
      <p>
        Copy it now: it is shown once, and Narrows keeps no copy of it.
        {token.expires_at !== null &&
          ` It expires at ${formatMoment(Date.parse(token.expires_at), "utc")} UTC.`}
      </p>
      <div className={styles.secret}>
        <code>{token.token}</code>
        <CopyButton text={token.token} label="Copy" />
      </div>
      <p className={styles.hint}>
        Programs send it as <code>Authorization: Bearer {token.token.slice(0, 4)}…</code>
      </p>
      <div className={styles.buttons}>
        <button type="button" className="button button-primary" onClick={onClose}>
          It is stored
        </button>
      </div>
    </Dialog>
  );
}
