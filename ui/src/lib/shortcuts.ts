// Single keys and short sequences ("g l", "t -"). Pure: the hook beside the components feeds it.
export interface Step {
  fire: string | null;
  pending: string | null;
}

/** What a key does after the keys that are pending. A binding that another one continues fires at once, too. */
export function nextStep(bindings: string[], pending: string | null, key: string): Step {
  if (pending !== null) {
    const sequence = `${pending} ${key}`;
    if (bindings.includes(sequence)) return { fire: sequence, pending: null };
  }
  const continues = bindings.some((binding) => binding.startsWith(`${key} `));
  return { fire: bindings.includes(key) ? key : null, pending: continues ? key : null };
}

/** "Shift T" for upper-case letters, the key's own name otherwise. */
export function keyName(event: { key: string; shiftKey: boolean }): string {
  return event.shiftKey && /^[A-Z]$/.test(event.key) ? `Shift ${event.key}` : event.key;
}
