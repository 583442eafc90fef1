import { type FormEvent, useEffect, useId, useState } from "react";
import { ApiError } from "../../api/http";
import { signIn } from "../../api/session";
import { Icon, Logo } from "../../components/Icon";
import { sentence } from "../../lib/words";
import styles from "./LoginPage.module.css";

interface Refusal {
  title: string;
  next: string;
  /** When the next try is allowed. */
  againAtMs: number | null;
}

export function LoginPage({ onSignedIn }: { onSignedIn: () => void }) {
  const [user, setUser] = useState("admin");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const waitS = useSecondsUntil(refusal?.againAtMs ?? null);
  const id = useId();
  useEffect(() => {
    document.title = "Sign in – Narrows";
  }, []);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      await signIn(user.trim(), password);
      onSignedIn();
    } catch (error) {
      setRefusal(refusalOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <main className={styles.page}>
      <form className={styles.card} onSubmit={submit} aria-labelledby={`${id}-title`}>
        <div className={styles.brand}>
          <Logo size={24} />
          <h1 id={`${id}-title`}>Sign in to Narrows</h1>
        </div>
        <div>
          <label htmlFor={`${id}-user`}>User</label>
          <input
            id={`${id}-user`}
            className="field"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            required
            value={user}
            onChange={(event) => setUser(event.target.value)}
          />
        </div>
        <div>
          <label htmlFor={`${id}-password`}>Password</label>
          <input
            id={`${id}-password`}
            className="field"
            type="password"
            autoComplete="current-password"
            required
            // biome-ignore lint/a11y/noAutofocus: this page has one purpose, and the user's name is filled in
            autoFocus
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        </div>
        {refusal && (
          <div className={styles.refusal} role="alert">
            <Icon name="alert" />
            <p>
              <strong>{refusal.title}</strong> {waitS > 0 ? `Try again in ${waitS}\u00a0s.` : refusal.next}
            </p>
          </div>
        )}
        <button
          type="submit"
          className={`button button-primary ${styles.submit}`}
          disabled={busy || waitS > 0}
        >
          {busy ? "Signing in" : "Sign in"}
        </button>
        <p className={styles.hint}>
          The collector prints the first password when it first starts and keeps it in the file{" "}
          <code>admin-password</code> of its data directory.
        </p>
      </form>
    </main>
  );
}

function refusalOf(error: unknown): Refusal {
  if (!(error instanceof ApiError)) throw error;
  if (error.status === 401) {
    return { title: "User or password is wrong.", next: "Check both and try again.", againAtMs: null };
  }
  if (error.status === 429) {
    const againAtMs = Date.now() + (error.retryAfterS ?? 30) * 1000;
    return { title: "Too many attempts.", next: "You can try again now.", againAtMs };
  }
  return { title: sentence(error.message), next: error.hint ? sentence(error.hint) : "", againAtMs: null };
}

function useSecondsUntil(atMs: number | null): number {
  const [nowMs, setNowMs] = useState(Date.now);
  useEffect(() => {
    if (atMs === null) return;
    setNowMs(Date.now());
    const timer = setInterval(() => setNowMs(Date.now()), 500);
    return () => clearInterval(timer);
  }, [atMs]);
  return atMs === null ? 0 : Math.max(0, Math.ceil((atMs - nowMs) / 1000));
}
