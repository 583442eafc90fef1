// Colours of files as ours: names and hues become slots of the palette or meanings, so that both schemes can be read.

const slots: Record<string, number> = { blue: 1, orange: 2, green: 3, red: 4, yellow: 5, purple: 10 };
const lightSlots: Record<string, number> = { blue: 6, green: 8, orange: 7 };

/** A slot of the palette, or the colour itself where it is no name. Null: none. */
export function seriesColour(colour: string): number | string | null {
  const named = /^(dark|semi-dark|light|super-light)?-?(blue|orange|green|red|yellow|purple)$/.exec(colour);
  if (named) {
    const [, shade = "", hue = ""] = named;
    return (shade.endsWith("light") ? lightSlots[hue] : undefined) ?? slots[hue] ?? null;
  }
  if (/^#[0-9a-f]{3,8}$/i.test(colour) || /^rgba?\([\d\s.,%/]+\)$/.test(colour)) return colour;
  return colour === "text" || colour === "gray" || colour === "grey" ? 9 : null;
}

export type Level = "warn" | "crit" | null;

/** What a threshold's colour means: red is past a limit, orange and yellow are near it, the others are quiet. */
export function levelOf(colour: string): Level {
  if (/red/.test(colour)) return "crit";
  if (/orange|yellow/.test(colour)) return "warn";
  const rgb = rgbOf(colour);
  if (!rgb) return null;
  const [red, green, blue] = rgb;
  const [high, low] = [Math.max(red, green, blue), Math.min(red, green, blue)];
  if (high !== red || high - low < 60) return null;
  // Between red (0°) and green (120°).
  const hue = (60 * (green - blue)) / (high - low);
  return hue < -30 ? null : hue < 18 ? "crit" : "warn";
}

function rgbOf(colour: string): [number, number, number] | null {
  const hex =
    /^#([0-9a-f]{6})/i.exec(colour)?.[1] ?? /^#([0-9a-f]{3})$/i.exec(colour)?.[1]?.replace(/./g, "$&$&");
  if (hex)
    return [0, 2, 4].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as [number, number, number];
  const parts = /^rgba?\(\s*(\d+)[\s,]+(\d+)[\s,]+(\d+)/.exec(colour);
  return parts ? [Number(parts[1]), Number(parts[2]), Number(parts[3])] : null;
}
