// The same name has the same colour on every chart, as long as another on the same chart does not have it.

export const slots = 10;
/** The tenth is left for who asks for it. */
const hashedSlots = 9;

/** Slots 7 to 10 are dashed too, so that colour alone never tells them apart. */
export const slotDashes: Record<number, number[] | undefined> = {
  7: [6, 3],
  8: [2, 2],
  9: [8, 3, 2, 3],
  10: [1, 3],
};

/** 1 to 9, by the name alone. */
export function slotOf(name: string): number {
  // FNV-1a
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at += 1) {
    hash ^= name.charCodeAt(at);
    hash = Math.imul(hash, 0x01000193) >>> 0;
  }
  return (hash % hashedSlots) + 1;
}

/** A slot or a CSS colour for each; names without one take theirs by hash, or the next that is free. */
export function assignColours(
  series: { label: string; colour?: number | string | undefined }[],
): (number | string)[] {
  const taken = new Set(series.map(({ colour }) => colour).filter((colour) => typeof colour === "number"));
  const byName = new Map<string, number>();
  // By name, not by place: a series more or less must not recolour the others.
  const unset = series.filter(({ colour }) => colour === undefined).map(({ label }) => label);
  for (const label of [...new Set(unset)].sort()) {
    let slot = slotOf(label);
    for (let tries = 0; tries < slots && taken.has(slot); tries += 1) slot = (slot % slots) + 1;
    taken.add(slot);
    byName.set(label, slot);
  }
  return series.map(({ label, colour }) => colour ?? byName.get(label) ?? slotOf(label));
}

/** As CSS, for swatches. */
export function cssColour(colour: number | string): string {
  return typeof colour === "number" ? `var(--series-${colour})` : colour;
}
