// Arrow keys on the map: the next node in a direction.
import { type Layout, xOf } from "./layout";

/** What is nearest along the key's direction; null for other keys, and at the end. */
export function nextNode(key: string, from: string, ids: string[], { places }: Layout): string | null {
  const start = places.get(from);
  const [dx, dy] = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[key] ?? [
    0, 0,
  ];
  if (!start || (dx === 0 && dy === 0)) return null;
  let best: { id: string; cost: number } | null = null;
  for (const id of ids) {
    const place = places.get(id);
    if (!place || id === from) continue;
    const [x, y] = [xOf(place.column) - xOf(start.column), place.y - start.y];
    const ahead = x * (dx ?? 0) + y * (dy ?? 0);
    // Up and down stay in the column.
    if (ahead <= 0 || (dx === 0 && x !== 0)) continue;
    const cost = ahead + (dx === 0 ? 0 : Math.abs(y) * 0.8);
    if (best === null || cost < best.cost) best = { id, cost };
  }
  return best?.id ?? null;
}
