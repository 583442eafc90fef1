// Values on the page carry the condition that selects them, so that `f` and `x` find it without a click.

/** The condition of the value that has the focus, or else of the one under the pointer. */
export function pointedCondition(): string | null {
  const focused = document.activeElement?.closest<HTMLElement>("[data-condition]");
  const pointed = focused ?? document.querySelector<HTMLElement>("[data-condition]:hover");
  return pointed?.dataset.condition ?? null;
}
