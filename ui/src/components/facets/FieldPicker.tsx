import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { canName, filterOnly } from "../../lib/query/edit";
import { bounds, type Question } from "../../lib/query/question";
import { Icon } from "../Icon";
import { useQueryLanguage } from "../query/language";
import styles from "./FieldPicker.module.css";

interface FieldPickerProps {
  question: Question;
  chosen: string[];
  /** Names the field for the search. */
  label: string;
  /** Fields that make no sense here. */
  without?: string[];
  onToggle: (field: string) => void;
}

/** Fields of the records that match, with the share of them that have it; any other name can be typed. */
export function FieldPicker({ question, chosen, label, without = [], onToggle }: FieldPickerProps) {
  const [text, setText] = useState("");
  const [prefix] = useDebouncedValue(text.trim(), 150);
  const names = useQuery(useFieldNames(question, prefix));
  const typed = text.trim().toLowerCase();
  const known = (names.data ?? []).filter(({ name }) => !without.includes(name));
  const listed = [
    ...chosen.filter((name) => name.toLowerCase().includes(typed)).map((name) => ({ name, share: null })),
    ...known.filter(({ name }) => !chosen.includes(name)),
  ];
  const exact = text.trim();
  const unknown = exact !== "" && canName(exact) && !listed.some(({ name }) => name === exact) ? exact : null;
  return (
    <div className={styles.picker}>
      <input
        className={`field ${styles.input}`}
        data-autofocus
        aria-label={label}
        placeholder={label}
        autoComplete="off"
        spellCheck={false}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <ul className={styles.list} aria-busy={names.isFetching}>
        {listed.map(({ name, share }) => (
          <li key={name}>
            <Choice name={name} share={share} chosen={chosen.includes(name)} onToggle={onToggle} />
          </li>
        ))}
        {unknown && !names.isFetching && (
          <li>
            <Choice name={unknown} share={null} chosen={false} onToggle={onToggle} />
          </li>
        )}
      </ul>
      {names.error && <p className={styles.note}>The fields did not come. Type a name in full.</p>}
      {listed.length === 0 && !unknown && !names.isFetching && !names.error && (
        <p className={styles.note}>No field begins so.</p>
      )}
    </div>
  );
}

interface ChoiceProps {
  name: string;
  share: number | null;
  chosen: boolean;
  onToggle: (field: string) => void;
}

function Choice({ name, share, chosen, onToggle }: ChoiceProps) {
  return (
    <button
      type="button"
      role="checkbox"
      aria-checked={chosen}
      className={styles.choice}
      title={name}
      onClick={() => onToggle(name)}
    >
      <span className={styles.box} aria-hidden="true">
        {chosen && <Icon name="check" small />}
      </span>
      <span className={styles.name}>{name}</span>
      {share !== null && <span className={styles.share}>{percent(share)}</span>}
    </button>
  );
}

function percent(share: number): string {
  const value = share * 100;
  return value > 0 && value < 1 ? "<\u202f1\u00a0%" : `${Math.round(value)}\u00a0%`;
}

function useFieldNames({ query, span, generation }: Question, prefix: string) {
  const language = useQueryLanguage();
  const request = { query: filterOnly(query), ...bounds(span), prefix };
  return {
    queryKey: [language.name, "fields", request, generation],
    queryFn: ({ signal }: { signal: AbortSignal }) => language.fieldNames(request, signal),
    placeholderData: keepPreviousData,
  };
}
