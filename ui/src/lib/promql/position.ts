// The server counts bytes of UTF-8, the editor UTF-16 units.

/** Byte offsets as offsets of the text; at least one character wide, within the text. */
export function textPosition(
  text: string,
  bytes: { start: number; end: number },
): { from: number; to: number } {
  const from = unitsAt(text, bytes.start);
  const to = unitsAt(text, bytes.end);
  if (to > from) return { from, to };
  return from < text.length
    ? { from, to: from + 1 }
    : { from: Math.max(0, text.length - 1), to: text.length };
}

function unitsAt(text: string, bytes: number): number {
  let units = 0;
  let count = 0;
  for (const character of text) {
    if (count >= bytes) return units;
    const code = character.codePointAt(0) ?? 0;
    count += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    units += character.length;
  }
  return units;
}
