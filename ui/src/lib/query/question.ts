// What an answer is for: a query, and the time that it is asked of.
import type { Span } from "../time/range";

/** The same question in a later generation is asked anew. */
export interface Question {
  query: string;
  span: Span;
  generation: number;
}

export function bounds(span: Span): { start: string; end: string } {
  return { start: new Date(span.startMs).toISOString(), end: new Date(span.endMs).toISOString() };
}

/** An empty query means everything. */
export function queryText(query: string): string {
  return query.trim() === "" ? "*" : query;
}
