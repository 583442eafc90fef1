import { useDebouncedValue } from "@mantine/hooks";
import { lazy, type RefObject, Suspense, useEffect, useMemo, useState } from "react";
import { PromError } from "../../api/prometheus";
import { Icon } from "../../components/Icon";
import { textPosition } from "../../lib/promql/position";
import type { Span } from "../../lib/time/range";
import { sentence } from "../../lib/words";
import type { EditorHandle, EditorProps } from "./editor/props";
import styles from "./QueryRow.module.css";
import type { MetricsQuery } from "./url";
import { useParse } from "./useMetrics";

const PromqlEditor = lazy(() =>
  import("./editor/PromqlEditor").then((chunk) => ({ default: chunk.PromqlEditor })),
);

interface QueryRowProps {
  at: number;
  query: MetricsQuery;
  span: Span;
  handle: RefObject<EditorHandle | null>;
  /** Of the run query. */
  error: Error | null;
  running: boolean;
  single: boolean;
  onFocus: () => void;
  onRun: (text: string) => void;
  onChange: (change: Partial<MetricsQuery>) => void;
  onRemove: () => void;
}

const parseAfterMs = 300;

/** One query: its letter, the editor, the names of its series, hide and remove; below, what cannot be read. */
export function QueryRow(props: QueryRowProps) {
  const { at, query, span, handle, error, running, single, onFocus, onRun, onChange, onRemove } = props;
  const letter = String.fromCharCode(65 + at);
  const [text, setText] = useState(query.text);
  const [legend, setLegend] = useState(query.legend);
  // The address, the browser of metrics and "back" change a query too.
  useEffect(() => setText(query.text), [query.text]);
  useEffect(() => setLegend(query.legend), [query.legend]);
  const [settled] = useDebouncedValue(text, parseAfterMs);
  const parsed = useParse(settled);
  const refused =
    settled === text && parsed.data
      ? parsed.data
      : error instanceof PromError && text === query.text
        ? error
        : null;
  const positioned = refused?.bytes ?? null;
  const mark = useMemo(
    () =>
      positioned && refused
        ? { ...textPosition(text, positioned), message: sentence(refused.message) }
        : null,
    [positioned, refused, text],
  );
  const run = () => onRun(text);
  const editor: EditorProps = {
    text,
    label: `Query ${letter}`,
    span,
    error: mark,
    handle,
    onChange: setText,
    onRun: run,
  };
  return (
    <div
      role="group"
      aria-label={`Query ${letter}, its names`}
      className={styles.query}
      data-hidden={query.hidden}
      onFocus={onFocus}
    >
      <div className={styles.row}>
        <button
          type="button"
          className={styles.letter}
          aria-pressed={!query.hidden}
          aria-label={query.hidden ? `Show query ${letter}` : `Hide query ${letter}`}
          title={query.hidden ? "Hidden: a click shows it" : "A click hides it"}
          onClick={() => onChange({ hidden: !query.hidden })}
        >
          {letter}
        </button>
        <div className={styles.editor} data-invalid={refused !== null} data-running={running}>
          <Suspense fallback={<PlainEditor {...editor} />}>
            <PromqlEditor {...editor} />
          </Suspense>
        </div>
        <input
          className={`field ${styles.legend}`}
          aria-label={`Names of query ${letter}`}
          placeholder="Names: {{host_name}}"
          spellCheck={false}
          autoComplete="off"
          value={legend}
          onChange={(event) => setLegend(event.target.value)}
          onBlur={() => legend !== query.legend && onChange({ legend })}
          onKeyDown={(event) => event.key === "Enter" && onChange({ legend })}
        />
        <button type="button" className={`button ${single ? "button-primary" : ""}`} onClick={run}>
          <Icon name="play" small />
          Run
        </button>
        {!single && (
          <button
            type="button"
            className="button button-quiet button-icon"
            aria-label={`Remove query ${letter}`}
            onClick={onRemove}
          >
            <Icon name="close" small />
          </button>
        )}
      </div>
      {refused && (
        <p className={styles.error} role="status">
          {sentence(refused.message)}
          {mark && ` At character ${mark.from + 1}.`}
        </p>
      )}
    </div>
  );
}

/** The same query while the editor is on its way. */
function PlainEditor({ text, label, onChange, onRun }: EditorProps) {
  return (
    <textarea
      className={`${styles.plain} mono`}
      aria-label={label}
      rows={1}
      spellCheck={false}
      value={text}
      onChange={(event) => onChange(event.target.value)}
      onKeyDown={(event) => {
        if (event.key !== "Enter" || event.shiftKey) return;
        event.preventDefault();
        onRun();
      }}
    />
  );
}
