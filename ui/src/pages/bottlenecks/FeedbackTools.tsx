import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, useState } from "react";
import { type Feedback, type Stored, sendFeedback } from "../../api/bottlenecks";
import { useMayEdit } from "../../app/roles";
import { Dialog } from "../../components/Dialog";
import { Icon, type IconName } from "../../components/Icon";
import { sentence } from "../../lib/words";
import styles from "./FeedbackTools.module.css";
import { verdictsKey } from "./useVerdicts";

/** Was it right? The answers are what the precision of each level is measured by. */
export function FeedbackTools({ stored }: { stored: Stored }) {
  const { id, feedback } = stored;
  const isNamed = stored.verdict.culprit !== null;
  const client = useQueryClient();
  const may = useMayEdit();
  const [asking, setAsking] = useState(false);
  const send = useMutation({
    mutationFn: ({ answer, actual }: { answer: Feedback["answer"]; actual: string | null }) =>
      sendFeedback(id, answer, actual),
    onSuccess: () => {
      setAsking(false);
      return client.invalidateQueries({ queryKey: verdictsKey });
    },
  });
  const button = (answer: Feedback["answer"], label: string, icon: IconName, act: () => void) => (
    <button
      type="button"
      className="button button-small"
      aria-pressed={feedback?.answer === answer}
      disabled={!may.allowed || send.isPending}
      title={may.why ?? undefined}
      onClick={act}
    >
      <Icon name={icon} small />
      {label}
    </button>
  );
  return (
    <div className={styles.feedback}>
      <span className="text3" title={feedback?.actual ?? undefined}>
        {feedback
          ? `${feedback.by} said ${feedback.answer}`
          : isNamed
            ? "Was this right?"
            : "Do you know what it was?"}
      </span>
      <span className={styles.pair}>
        {isNamed &&
          button("correct", "Correct", "thumbUp", () => send.mutate({ answer: "correct", actual: null }))}
        {button("wrong", isNamed ? "Wrong" : "Tell", isNamed ? "thumbDown" : "edit", () => setAsking(true))}
      </span>
      {send.error && !asking && (
        <span className={styles.failed} role="alert">
          Not saved: {sentence(send.error.message)}
        </span>
      )}
      {asking && (
        <WrongDialog
          before={feedback?.actual ?? ""}
          error={send.error}
          isPending={send.isPending}
          onSend={(actual) => send.mutate({ answer: "wrong", actual: actual === "" ? null : actual })}
          onClose={() => setAsking(false)}
        />
      )}
    </div>
  );
}

interface WrongDialogProps {
  before: string;
  error: Error | null;
  isPending: boolean;
  onSend: (actual: string) => void;
  onClose: () => void;
}

function WrongDialog({ before, error, isPending, onSend, onClose }: WrongDialogProps) {
  const [actual, setActual] = useState(before);
  const id = useId();
  return (
    <Dialog title="What was it?" onClose={onClose}>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          onSend(actual.trim());
        }}
      >
        <p>
          The verdict stays as it is and is marked as wrong. What it really was helps to measure, and to mend,
          how right verdicts are.
        </p>
        <label htmlFor={id} className="text1">
          The bottleneck was <span className="text3">(may be left out)</span>
        </label>
        <input
          id={id}
          className="field"
          placeholder="pricing: its cache was flushed"
          maxLength={500}
          autoComplete="off"
          value={actual}
          onChange={(event) => setActual(event.target.value)}
        />
        {error && (
          <p className={styles.failed} role="alert">
            Not saved: {sentence(error.message)}
          </p>
        )}
        <div className={styles.buttons}>
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button button-primary" disabled={isPending}>
            Mark as wrong
          </button>
        </div>
      </form>
    </Dialog>
  );
}
