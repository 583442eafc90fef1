import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, type RefObject, useMemo, useState } from "react";
import { ApiError } from "../../../api/http";
import { type Completion, completionAt } from "../../../lib/query/completion";
import { filterOnly } from "../../../lib/query/edit";
import { bounds } from "../../../lib/query/question";
import type { Span } from "../../../lib/time/range";
import { useQueryLanguage } from "../language";
import { type Suggestion, suggest } from "./suggest";

const valueLimit = 20;
const hourMs = 3_600_000;

export interface CompletionState {
  suggestions: Suggestion[];
  /** Which one the keyboard has chosen; -1 while a person just types. */
  active: number;
  /** The first character that a suggestion takes the place of. */
  start: number;
  /** true: the key is used up. */
  onKey: (event: KeyboardEvent<HTMLTextAreaElement>) => boolean;
  onTyped: (text: string, caret: number) => void;
  accept: (suggestion: Suggestion) => void;
  close: () => void;
}

/** Suggestions for the text at the caret. They open by typing and never take Enter away unless one was chosen. */
export function useCompletion(
  input: RefObject<HTMLTextAreaElement | null>,
  span: Span | null,
): CompletionState {
  const { fixedValues } = useQueryLanguage();
  const [at, setAt] = useState<{ text: string; caret: number } | null>(null);
  const [active, setActive] = useState(-1);
  const completion = useMemo(() => at && completionAt(at.text, at.caret), [at]);
  const [asked] = useDebouncedValue(at && completion ? { text: at.text, completion } : null, 150);
  const { fields, values } = useNames(asked?.text ?? "", asked?.completion ?? null, span);
  const suggestions = useMemo(
    () => (completion ? suggest(completion, fields, values, fixedValues) : []),
    [completion, fields, values, fixedValues],
  );

  const close = () => {
    setAt(null);
    setActive(-1);
  };
  const show = (text: string, caret: number) => {
    setAt({ text, caret });
    setActive(-1);
  };
  const onTyped = (text: string, caret: number) => (opensAt(text, caret) ? show(text, caret) : close());
  const accept = (suggestion: Suggestion) => {
    if (!completion || !input.current) return;
    close();
    insertText(input.current, completion, suggestion.insert);
  };
  const onKey = (event: KeyboardEvent<HTMLTextAreaElement>): boolean => {
    const { value, selectionStart } = event.currentTarget;
    if (event.key === " " && event.ctrlKey) {
      show(value, selectionStart);
      return true;
    }
    if (suggestions.length === 0) {
      // In one line the key has no other use.
      if (event.key !== "ArrowDown" || value.includes("\n")) return false;
      show(value, selectionStart);
      return true;
    }
    const chosen = suggestions[active];
    const typed = completion !== null && completion !== undefined && completion.prefix !== "";
    switch (event.key) {
      case "ArrowDown":
        setActive((active + 1) % suggestions.length);
        return true;
      case "ArrowUp":
        if (active < 0) return false;
        setActive(active - 1);
        return true;
      case "Escape":
        close();
        return true;
      case "Tab": {
        const taken = chosen ?? (typed ? suggestions[0] : undefined);
        if (event.shiftKey || !taken) return false;
        accept(taken);
        return true;
      }
      case "Enter":
        if (!chosen) {
          close();
          return false;
        }
        accept(chosen);
        return true;
      default:
        return false;
    }
  };
  return { suggestions, active, start: completion?.start ?? 0, onKey, onTyped, accept, close };
}

/** While a word is typed, and where something must follow; not behind a finished word. */
function opensAt(text: string, caret: number): boolean {
  const before = text.slice(0, caret);
  return (
    /[^\s)\]}"']$/.test(before) ||
    /[|,(]\s*$/.test(before) ||
    /\|.*\bby\s$/.test(before) ||
    /:"[^"]*$/.test(before)
  );
}

function useNames(text: string, completion: Completion | null, span: Span | null) {
  const language = useQueryLanguage();
  const wanted = completion?.wanted;
  const among = {
    ...bounds(
      span ?? {
        startMs: Math.floor(Date.now() / hourMs - 1) * hourMs,
        endMs: Math.ceil(Date.now() / hourMs) * hourMs,
      },
    ),
    query: completion ? restOf(text, completion) : "*",
    prefix: completion?.prefix ?? "",
  };
  const field = wanted?.kind === "value" ? wanted.field : null;
  const wantsFields = wanted !== undefined && ["condition", "field", "grouping"].includes(wanted.kind);
  const names = useQuery({
    queryKey: [language.name, "field names", among],
    queryFn: ({ signal }) => amongThese(among, (request) => language.fieldNames(request, signal)),
    enabled: wantsFields,
    placeholderData: keepPreviousData,
    retry: false,
  });
  const found = useQuery({
    queryKey: [language.name, "field values", field, among],
    queryFn: ({ signal }) =>
      amongThese(among, (request) =>
        language.fieldValues({ ...request, field: field ?? "", limit: valueLimit }, signal),
      ),
    enabled: field !== null && field !== "body" && language.fixedValues(field) === null,
    // Values of another field would be wrong for a moment; those of a shorter prefix are not.
    placeholderData: (old, oldQuery) => (oldQuery?.queryKey[2] === field ? old : undefined),
    retry: false,
  });
  return { fields: names.data ?? none, values: (field !== null && found.data) || none };
}

const none: never[] = [];

/** The filter without the part that is being typed. */
function restOf(text: string, { start, end, wanted }: Completion): string {
  const filter = filterOnly(text);
  if (start > text.indexOf(filter) + filter.length) return filter;
  const field = wanted.kind === "value" ? /[-\w.@/"]*\s*(?::in\(|:\(|!=|[:<>=]+)[^:]*$/ : /$/;
  const rest = `${text.slice(0, start).replace(field, "")} ${text.slice(end)}`;
  return filterOnly(rest.replace(/\b(?:AND|OR|NOT)\s*$|-\s*$/, ""));
}

/** What is typed by halves may be no query yet; then names come from every record. */
async function amongThese<T, R extends { query: string }>(
  request: R,
  ask: (request: R) => Promise<T>,
): Promise<T> {
  try {
    return await ask(request);
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== "bad_query" || request.query === "*") throw error;
    return ask({ ...request, query: "*" });
  }
}

/** As if it were typed, so that undo takes it back. */
function insertText(area: HTMLTextAreaElement, { start, end }: Completion, text: string): void {
  area.focus();
  area.setSelectionRange(start, end);
  if (document.execCommand("insertText", false, text)) return;
  area.setRangeText(text, start, end, "end");
  area.dispatchEvent(new Event("input", { bubbles: true }));
}
