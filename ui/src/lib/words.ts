// The server's messages begin lower case and have no full stop; on a page they are headlines and sentences.

/** Begins with a capital, unless the first word is a name such as `trace_id:`. */
export function headline(text: string): string {
  return /^[a-z]+\b(?![:_.=])/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}

export function sentence(text: string): string {
  const start = headline(text);
  return /[.!?]$/.test(start) ? start : `${start}.`;
}
