import { highlightCode, tagHighlighter } from "@lezer/highlight";
import { parser } from "@prometheus-io/lezer-promql";
import { memo } from "react";
import { lexQuery } from "../../lib/query/lex";
import { promqlTokens } from "./promqlTokens";
import styles from "./QueryBar.module.css";

interface QueryCodeProps {
  text: string;
  language: "promql" | "logs";
  className?: string | undefined;
}

interface Piece {
  start: number;
  text: string;
  /** A class of the query bar, or a role. */
  className?: string | undefined;
  role?: string | undefined;
}

const highlighter = tagHighlighter(promqlTokens.map(({ tag, role }) => ({ tag, class: role })));

/** A query as it is coloured where it is written; to read only. */
export const QueryCode = memo(function QueryCode({ text, language, className }: QueryCodeProps) {
  const pieces = language === "promql" ? promqlPieces(text) : logsPieces(text);
  return (
    <code className={className}>
      {pieces.map(({ start, text: part, className: kind, role }) =>
        role === undefined && kind === undefined ? (
          part
        ) : (
          <span key={start} className={kind} style={role ? { color: `var(--${role})` } : undefined}>
            {part}
          </span>
        ),
      )}
    </code>
  );
});

function promqlPieces(text: string): Piece[] {
  const pieces: Piece[] = [];
  let start = 0;
  const put = (part: string, role?: string) => {
    pieces.push({ start, text: part, role: role || undefined });
    start += part.length;
  };
  highlightCode(text, parser.parse(text), highlighter, put, () => put("\n"));
  return pieces;
}

function logsPieces(text: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const { start, end, kind } of lexQuery(text)) {
    if (start > at) pieces.push({ start: at, text: text.slice(at, start) });
    pieces.push({ start, text: text.slice(start, end), className: styles[kind] });
    at = end;
  }
  if (at < text.length) pieces.push({ start: at, text: text.slice(at) });
  return pieces;
}
