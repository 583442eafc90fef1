import { ApiError } from "../../../api/http";
import { Message } from "../../../components/Message";
import { headline, sentence } from "../../../lib/words";

/** What failed and what to do about it. */
export function SearchFailed({ error, onRetry }: { error: Error; onRetry: () => void }) {
  if (error instanceof ApiError && error.position !== null)
    return (
      <Message title="The query cannot be read">
        The line under the query bar says what is wrong, and the underline where. Nothing was searched.
      </Message>
    );
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
