import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { setPassword } from "../../api/access";
import { Dialog } from "../../components/Dialog";
import { PasswordField } from "./PasswordField";
import { Refusal } from "./parts";
import styles from "./Settings.module.css";
import { passwordProblem } from "./words";

interface PasswordDialogProps {
  name: string;
  onDone: () => void;
  onClose: () => void;
}

/** Another password for somebody who has lost theirs. */
export function PasswordDialog({ name, onDone, onClose }: PasswordDialogProps) {
  const [password, setTyped] = useState("");
  const [told, setTold] = useState(false);
  const problem = passwordProblem(password);
  const save = useMutation({ mutationFn: () => setPassword(name, password), onSuccess: onDone });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTold(true);
    if (problem === null) save.mutate();
  };
  return (
    <Dialog title={`New password for ${name}`} onClose={onClose}>
      <form className={styles.form} noValidate onSubmit={submit}>
        <PasswordField
          label="New password"
          autoComplete="new-password"
          value={password}
          problem={told ? problem : null}
          hint="12 characters or more. All their sessions end."
          onChange={setTyped}
        />
        <Refusal of={save} />
        <div className={styles.buttons}>
          <button type="submit" className="button button-primary" disabled={save.isPending}>
            Set the password
          </button>
          <button type="button" className="button button-quiet" onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}
