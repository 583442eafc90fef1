// Values on the page carry the condition that selects them, so that `f` and `x` find it without a click.

/** Of the value that has the focus, else of the cell cursor's, else of the one under the pointer, else of the active row. */
export function pointedCondition(): string | null {
  const focused = document.activeElement?.closest<HTMLElement>("[data-condition]");
  const found =
    focused ?? first('[data-cursor="true"]') ?? first("[data-condition]:hover") ?? first(activeRow);
  return found?.dataset.condition ?? null;
}

/** A pattern's row is a value itself. */
const activeRow = '[role="row"][data-active="true"][data-condition]';

function first(selector: string): HTMLElement | null {
  return document.querySelector<HTMLElement>(selector);
}
