import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { sentence } from "../lib/words";
import { Dialog } from "./Dialog";
import styles from "./Dialog.module.css";

interface ConfirmDialogProps {
  /** The question, with the name of what is lost. */
  title: string;
  /** On the button: the verb and the name. */
  action: string;
  /** What follows from it. */
  children?: ReactNode;
  run: () => Promise<unknown>;
  /** After it was done; the dialog is closed by whoever opened it. */
  onDone: () => void;
  onClose: () => void;
}

/** Asks before something is taken away. What fails is said here, and the dialog stays. */
export function ConfirmDialog({ title, action, children, run, onDone, onClose }: ConfirmDialogProps) {
  const work = useMutation({ mutationFn: run, onSuccess: onDone });
  return (
    <Dialog title={title} onClose={onClose}>
      {children && <div>{children}</div>}
      {work.error && (
        <p className={styles.error} role="alert">
          {sentence(work.error.message)}
        </p>
      )}
      <div className={styles.row}>
        <button
          type="button"
          className={`button ${styles.danger}`}
          disabled={work.isPending}
          onClick={() => work.mutate()}
        >
          {action}
        </button>
        <button type="button" className="button button-quiet" onClick={onClose}>
          Cancel
        </button>
      </div>
    </Dialog>
  );
}
