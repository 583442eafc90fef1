import { type KeyboardEvent, type RefObject, useEffect, useState } from "react";
import { cellId, cellsOf, movedCell } from "./cellCursor";

interface CellCursor {
  /** The column that it is in; null: the whole row. */
  cell: string | null;
  /** Of the element that it is in, for `aria-activedescendant`. */
  id: string | null;
  /** The keys are the rows' from now on. */
  take: () => void;
  onKeyDown: (event: KeyboardEvent<HTMLDivElement>) => void;
  onPointerDown: () => void;
}

/**
 * Moves a cursor over the cells of the active row while the rows have the focus; elsewhere the arrow keys are the time
 * range's. The pointer takes it away.
 */
export function useCellCursor(
  scroller: RefObject<HTMLDivElement | null>,
  fields: string[],
  activeId: string | null,
): CellCursor {
  const [chosen, setCell] = useState<string | null>(null);
  const cell = chosen !== null && cellsOf(fields).includes(chosen) ? chosen : null;
  const id = activeId !== null && cell !== null ? cellId(activeId, fields, cell) : null;
  useEffect(() => {
    if (id !== null) document.getElementById(id)?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [id]);
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && cell !== null) {
      setCell(null);
      event.preventDefault();
      return;
    }
    const to = activeId === null ? undefined : movedCell(fields, cell, event.key);
    if (to === undefined) return;
    event.preventDefault();
    setCell(to);
  };
  return {
    cell,
    id,
    take: () => scroller.current?.focus({ preventScroll: true }),
    onKeyDown,
    onPointerDown: () => setCell(null),
  };
}
