import { useInstants } from "../../components/chart/useAnswers";
import type { Span } from "../../lib/time/range";

/** The answers of a table's queries at the end of the span, and the state that they are in together. */
export function useTable(texts: string[], span: Span, generation: number) {
  const timeS = Math.floor(span.endMs / 1000);
  const results = useInstants(texts.map((text) => ({ text, timeS, generation, enabled: true })));
  return {
    answers: results.map(({ data }) => data?.series ?? []),
    pending: results.some(({ isPending }) => isPending),
    error: results.find(({ error }) => error !== null)?.error ?? null,
  };
}
