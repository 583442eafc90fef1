import { Fragment, type Ref } from "react";
import type { Token } from "../../lib/query/lex";
import type { Position } from "../../lib/query/position";
import styles from "./QueryBar.module.css";

interface QueryTextProps {
  ref: Ref<HTMLDivElement>;
  text: string;
  tokens: Token[];
  underline: Position | null;
}

interface Piece {
  start: number;
  text: string;
  className: string | undefined;
  underlined: boolean;
}

/** The coloured text that lies under the transparent input. Its letters must fall exactly under the input's. */
export function QueryText({ ref, text, tokens, underline }: QueryTextProps) {
  return (
    <div ref={ref} className={styles.text} aria-hidden="true">
      {piecesOf(text, tokens, underline).map((piece) => (
        <Fragment key={piece.start}>
          <span className={piece.className} data-underlined={piece.underlined || undefined}>
            {piece.text}
          </span>
        </Fragment>
      ))}
      {/* Room for the underline when the error is after the last character, and for the line of a trailing break. */}
      <span data-underlined={(underline !== null && underline.end > text.length) || undefined}> </span>
    </div>
  );
}

function piecesOf(text: string, tokens: Token[], underline: Position | null): Piece[] {
  const cuts = new Set([0, text.length]);
  for (const { start, end } of tokens) cuts.add(start).add(end);
  if (underline) cuts.add(Math.min(underline.start, text.length)).add(Math.min(underline.end, text.length));
  const edges = [...cuts].sort((a, b) => a - b);
  return edges.slice(0, -1).map((start, index) => {
    const end = edges[index + 1] ?? text.length;
    const token = tokens.find((candidate) => candidate.start <= start && candidate.end >= end);
    const underlined = underline !== null && underline.start <= start && underline.end >= end;
    return { start, text: text.slice(start, end), className: token && styles[token.kind], underlined };
  });
}
