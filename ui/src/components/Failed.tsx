import { ApiError } from "../api/http";
import { headline, sentence } from "../lib/words";
import { Message } from "./Message";

/** In a page's place when nothing came: what failed, what to do, once more. */
export function Failed({ error, onRetry }: { error: Error; onRetry: () => void }) {
  return (
    <Message
      kind="error"
      title={headline(error.message)}
      actions={
        <button type="button" className="button" onClick={onRetry}>
          Try again
        </button>
      }
    >
      {error instanceof ApiError && error.hint ? sentence(error.hint) : null}
    </Message>
  );
}
