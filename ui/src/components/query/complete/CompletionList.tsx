import { type CSSProperties, type RefObject, useLayoutEffect, useState } from "react";
import styles from "./CompletionList.module.css";
import type { CompletionState } from "./useCompletion";

interface CompletionListProps {
  id: string;
  state: CompletionState;
  /** The coloured text under the input: it says where a character stands. */
  mirror: RefObject<HTMLElement | null>;
}

const widthPx = 400;

/** The suggestions, below the word that they would complete. */
export function CompletionList({ id, state, mirror }: CompletionListProps) {
  const { suggestions, active, start, accept } = state;
  const [place, setPlace] = useState({ left: 0, top: 0 });
  useLayoutEffect(() => {
    const found = mirror.current && placeOf(mirror.current, start);
    if (found) setPlace(found);
  }, [mirror, start]);
  if (suggestions.length === 0) return null;
  return (
    <div
      id={id}
      className={`${styles.list} floating`}
      role="listbox"
      aria-label="Suggestions"
      style={{ "--left": `${place.left}px`, "--top": `${place.top}px` } as CSSProperties}
      // The input keeps the focus.
      onMouseDown={(event) => event.preventDefault()}
    >
      {suggestions.map((suggestion, at) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the arrows, Tab and Enter in the input do the same
        <div
          key={suggestion.insert}
          id={`${id}-${at}`}
          ref={(option) => {
            if (at === active) option?.scrollIntoView({ block: "nearest" });
          }}
          role="option"
          aria-selected={at === active}
          className={styles.option}
          onClick={() => accept(suggestion)}
        >
          <span className={`${styles.label} mono`} data-kind={suggestion.kind}>
            {suggestion.label}
          </span>
          <span className={styles.detail}>{suggestion.detail}</span>
        </div>
      ))}
      <div className={styles.keys} aria-hidden="true">
        <span>
          <kbd>↓</kbd> choose
        </span>
        <span>
          <kbd>Tab</kbd> take
        </span>
        <span>
          <kbd>Esc</kbd> close
        </span>
      </div>
    </div>
  );
}

/** Below the character, inside of the box that the list hangs in. */
function placeOf(mirror: HTMLElement, at: number): { left: number; top: number } | null {
  const box = mirror.offsetParent?.getBoundingClientRect();
  const range = rangeAt(mirror, at);
  if (!box || !range) return null;
  const character = range.getBoundingClientRect();
  const left = Math.max(0, Math.min(character.left - box.left - 9, box.width - widthPx));
  return { left, top: Math.min(character.bottom - box.top, box.height) + 6 };
}

function rangeAt(element: HTMLElement, at: number): Range | null {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  let left = at;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const length = node.textContent?.length ?? 0;
    if (left < length) {
      const range = document.createRange();
      range.setStart(node, left);
      range.setEnd(node, left + 1);
      return range;
    }
    left -= length;
  }
  return null;
}
