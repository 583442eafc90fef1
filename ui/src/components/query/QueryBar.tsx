import { useDebouncedValue } from "@mantine/hooks";
import {
  type ChangeEvent,
  type FormEvent,
  type KeyboardEvent,
  type RefObject,
  useId,
  useRef,
  useState,
} from "react";
import type { ParseAnswer, QueryError } from "../../api/logs";
import { plural } from "../../lib/number";
import { lexQuery, type Token, type TokenKind } from "../../lib/query/lex";
import { underlineOf, utf16Position } from "../../lib/query/position";
import type { Span } from "../../lib/time/range";
import { sentence } from "../../lib/words";
import { Icon } from "../Icon";
import { usePhone } from "../usePhone";
import { CompletionList } from "./complete/CompletionList";
import { useCompletion } from "./complete/useCompletion";
import { useQueryLanguage } from "./language";
import styles from "./QueryBar.module.css";
import { QueryHelp } from "./QueryHelp";
import { QueryText } from "./QueryText";
import { useParse } from "./useParse";

interface QueryBarProps {
  ref: RefObject<HTMLTextAreaElement | null>;
  /** What the URL says; the draft starts from it. */
  query: string;
  /** Where the suggestions come from; null: the last hour. */
  span: Span | null;
  running: boolean;
  /** What the search found wrong with `query`. */
  runError: QueryError | null;
  onRun: (query: string) => void;
}

/** The query as text, coloured while it is typed; errors are underlined in place and said below. */
export function QueryBar({ ref, query, span, running, runError, onRun }: QueryBarProps) {
  const [draft, setDraft] = useState(query);
  const [shownQuery, setShownQuery] = useState(query);
  if (shownQuery !== query) {
    setShownQuery(query);
    setDraft(query);
  }
  const [settled] = useDebouncedValue(draft, 250);
  const parsed = useParse(settled);
  const current = settled === draft ? parsed.data : undefined;
  const error = current?.error ?? (draft === query ? runError : null);
  const underline = error?.position ? underlineOf(draft, error.position) : null;
  const id = useId();
  const language = useQueryLanguage();
  const phone = usePhone();
  const mirror = useRef<HTMLDivElement>(null);
  const completion = useCompletion(ref, span);
  const { suggestions, active } = completion;

  const run = () => {
    completion.close();
    onRun(draft.trim());
  };
  const type = ({ target }: ChangeEvent<HTMLTextAreaElement>) => {
    setDraft(target.value);
    completion.onTyped(target.value, target.selectionStart);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    run();
  };
  const onKey = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.nativeEvent.isComposing) return;
    if (completion.onKey(event)) {
      event.preventDefault();
      return;
    }
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      run();
    }
    if (event.key === "Escape") event.currentTarget.blur();
  };
  return (
    <search className={styles.bar}>
      <form className={styles.form} onSubmit={submit}>
        <div className={styles.box} data-invalid={error !== null} data-running={running}>
          <Icon name="search" />
          <div className={`${styles.editor} mono`}>
            <QueryText ref={mirror} text={draft} tokens={tokensOf(draft, current)} underline={underline} />
            <textarea
              ref={ref}
              className={styles.input}
              aria-label="Query"
              aria-invalid={error !== null}
              aria-describedby={error ? `${id}-error` : undefined}
              placeholder={phone ? language.phonePlaceholder : language.placeholder}
              // A text area of several lines cannot have the role combobox; these say the same.
              aria-autocomplete="list"
              aria-haspopup="listbox"
              aria-controls={suggestions.length > 0 ? `${id}-list` : undefined}
              aria-activedescendant={active < 0 ? undefined : `${id}-list-${active}`}
              rows={1}
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              value={draft}
              onChange={type}
              onKeyDown={onKey}
              onBlur={completion.close}
            />
          </div>
          <QueryHelp onExample={onRun} />
          <CompletionList id={`${id}-list`} state={completion} mirror={mirror} />
          <p className="visually-hidden" aria-live="polite">
            {suggestions.length > 0 && plural(suggestions.length, "suggestion")}
          </p>
        </div>
        <button type="submit" className={`button button-primary ${styles.run}`}>
          <Icon name="play" small />
          Run
        </button>
      </form>
      <div id={`${id}-error`} className={styles.error} role="status">
        {error && (
          <>
            <Icon name="alert" small />
            <span>
              <strong>
                <Words text={sentence(error.message)} />
              </strong>{" "}
              {error.hint && <Words text={sentence(error.hint)} />}
            </span>
          </>
        )}
      </div>
    </search>
  );
}

const kinds = new Set<string>(["field", "operator", "value", "string", "keyword", "verb", "number", "text"]);

/** The server's tokens once they are for this very text, our own until then. */
function tokensOf(text: string, answer: ParseAnswer | undefined): Token[] {
  if (!answer || answer.error || answer.tokens.length === 0) return lexQuery(text);
  return answer.tokens.map((token) => {
    const { start, end } = utf16Position(text, token);
    // The pipe stands out: it is where the filter ends.
    const kind = text.slice(start, end) === "|" ? "keyword" : token.kind;
    return { start, end, kind: kinds.has(kind) ? (kind as TokenKind) : "text" };
  });
}

/** The server puts what is query text between backticks. */
function Words({ text }: { text: string }) {
  return text.split("`").map((part, index) =>
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts never reorder
    index % 2 === 1 ? <code key={index}>{part}</code> : part,
  );
}
