// The server counts characters (Unicode scalar values), JavaScript counts UTF-16 units.
export interface Position {
  start: number;
  end: number;
}

export function utf16Position(text: string, characters: Position): Position {
  let units = 0;
  let count = 0;
  let start = text.length;
  let end = text.length;
  for (const character of text) {
    if (count === characters.start) start = units;
    if (count === characters.end) end = units;
    units += character.length;
    count += 1;
  }
  return { start: Math.min(start, end), end };
}

/** Where to draw the line under an error: at least one character wide, and past the end when the end is at fault. */
export function underlineOf(text: string, error: Position): Position {
  const { start, end } = utf16Position(text, error);
  return { start, end: Math.max(end, start + 1) };
}
