import { type FormEvent, type KeyboardEvent, type Ref, useId, useState } from "react";
import { formatMoment, formatSpan } from "../../lib/time/format";
import { parseMomentText, parseRangePhrase } from "../../lib/time/phrase";
import { absoluteRange, presets, type Range, rangeName, resolveRange, type Span } from "../../lib/time/range";
import { type Zone, zoneLabel } from "../../lib/time/zone";
import { usePreferences } from "../usePreferences";
import styles from "./TimePanel.module.css";

interface TimePanelProps {
  /** The field for free text, for who opens the panel. */
  phraseRef: Ref<HTMLInputElement>;
  range: Range;
  span: Span;
  zone: Zone;
  onRange: (range: Range) => void;
  onZone: (zone: Zone) => void;
  onZoomOut: () => void;
}

export function TimePanel(props: TimePanelProps) {
  const { phraseRef, range, span, zone, onRange, onZone, onZoomOut } = props;
  const { recentRanges } = usePreferences();
  return (
    <div className={styles.panel}>
      <section className={styles.presets} aria-label="Presets">
        {presets.map((preset) => (
          <button
            key={preset.from}
            type="button"
            className={styles.choice}
            aria-pressed={preset.from === range.from && preset.to === range.to}
            onClick={() => onRange(preset)}
          >
            {rangeName(preset)}
          </button>
        ))}
      </section>
      <div className={styles.forms}>
        <PhraseForm inputRef={phraseRef} zone={zone} onRange={onRange} onZoomOut={onZoomOut} />
        <AbsoluteForm
          key={`${span.startMs} ${span.endMs} ${zone}`}
          span={span}
          zone={zone}
          onRange={onRange}
        />
        {recentRanges.length > 0 && (
          <section aria-label="Recent">
            <h3 className={styles.label}>Recent</h3>
            {recentRanges.map((recent) => (
              <button
                key={`${recent.from} ${recent.to}`}
                type="button"
                className={styles.choice}
                onClick={() => onRange(recent)}
              >
                {describe(recent, zone)}
              </button>
            ))}
          </section>
        )}
        <div className={styles.zones}>
          <span className={styles.label}>Zone</span>
          {(["utc", "local"] as const).map((choice) => (
            <button
              key={choice}
              type="button"
              className="button button-small"
              aria-pressed={zone === choice}
              onClick={() => onZone(choice)}
            >
              {choice === "utc" ? "UTC" : `Local, ${zoneLabel("local", span.endMs)}`}
            </button>
          ))}
        </div>
      </div>
    </div>
  );
}

interface PhraseFormProps {
  inputRef: Ref<HTMLInputElement>;
  zone: Zone;
  onRange: (range: Range) => void;
  onZoomOut: () => void;
}

function PhraseForm({ inputRef, zone, onRange, onZoomOut }: PhraseFormProps) {
  const [text, setText] = useState("");
  const id = useId();
  const parsed = parseRangePhrase(text, Date.now(), zone);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (parsed) onRange(parsed);
  };
  // `t -` is a shortcut, and after `t` the focus is here.
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== "-" || text !== "") return;
    event.preventDefault();
    onZoomOut();
  };
  const bad = text.trim() !== "" && !parsed;
  return (
    <form onSubmit={submit}>
      <label className={styles.label} htmlFor={id}>
        Type a range
      </label>
      <input
        ref={inputRef}
        id={id}
        className="field mono"
        data-autofocus
        autoComplete="off"
        spellCheck={false}
        placeholder="3h, yesterday 14:00, 10:00 - 10:30"
        value={text}
        aria-invalid={bad}
        aria-describedby={`${id}-hint`}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKey}
      />
      <p id={`${id}-hint`} className={styles.hint} aria-live="polite">
        {phraseHint(text, parsed, zone)}
      </p>
    </form>
  );
}

function phraseHint(text: string, parsed: Range | null, zone: Zone): string {
  if (text.trim() === "") return "Enter applies it.";
  return parsed
    ? describe(parsed, zone)
    : "Not a time: write 15m, 3h, today, yesterday 14:00 or 2026-01-31 10:00.";
}

function AbsoluteForm({ span, zone, onRange }: { span: Span; zone: Zone; onRange: (range: Range) => void }) {
  const [from, setFrom] = useState(formatMoment(span.startMs, zone));
  const [to, setTo] = useState(formatMoment(span.endMs, zone));
  const [error, setError] = useState<string | null>(null);
  const id = useId();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const startMs = parseMomentText(from, Date.now(), zone);
    const endMs = parseMomentText(to, Date.now(), zone);
    if (startMs === null || endMs === null) {
      setError(`${startMs === null ? "From" : "To"} is not a time: write 2026-01-31 10:00:00.`);
    } else if (endMs <= startMs) {
      setError("To must be after From.");
    } else {
      onRange(absoluteRange({ startMs, endMs }));
    }
  };
  const field = (name: string, label: string, value: string, change: (text: string) => void) => (
    <div>
      <label className={styles.label} htmlFor={`${id}-${name}`}>
        {label}
      </label>
      <input
        id={`${id}-${name}`}
        className="field mono"
        autoComplete="off"
        spellCheck={false}
        value={value}
        aria-invalid={error?.toLowerCase().startsWith(name) ?? false}
        onChange={(event) => change(event.target.value)}
      />
    </div>
  );
  return (
    <form className={styles.absolute} onSubmit={submit}>
      {field("from", "From", from, setFrom)}
      {field("to", "To", to, setTo)}
      <button type="submit" className="button button-small">
        Apply
      </button>
      {error && (
        <p className={`${styles.hint} ${styles.error}`} role="alert">
          {error}
        </p>
      )}
    </form>
  );
}

function describe(range: Range, zone: Zone): string {
  const nowMs = Date.now();
  const span = resolveRange(range, nowMs);
  if (!span) return `${range.from} – ${range.to}`;
  if (range.to === "now" && range.from.startsWith("now")) return rangeName(range);
  return `${formatSpan(span, zone, nowMs)} ${zoneLabel(zone, span.endMs)}`;
}
