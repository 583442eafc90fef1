// Colours and patterns on a canvas. They are read from the page, so a drawing follows the scheme.
import { slotDashes } from "../../lib/chart/colours";
import type { Role } from "../../theme/tokens";

export interface Paint {
  role: (role: Role) => string;
  /** A slot of the palette or a CSS colour; with `alpha`, so much of it. */
  series: (colour: number | string, alpha?: number) => string;
  font: string;
}

export function paintOf(element: Element): Paint {
  const style = getComputedStyle(element);
  const variable = (name: string) => style.getPropertyValue(name).trim();
  return {
    role: (role) => variable(`--${role}`),
    series: (colour, alpha) => {
      const named = /^var\((--[\w-]+)\)$/.exec(String(colour))?.[1];
      const solid =
        typeof colour === "number" ? variable(`--series-${colour}`) : named ? variable(named) : colour;
      return alpha === undefined ? solid : `color-mix(in srgb, ${solid} ${alpha * 100}%, transparent)`;
    },
    font: `11px ${variable("--font-sans")}`,
  };
}

export function dashOf(colour: number | string): number[] | undefined {
  return typeof colour === "number" ? slotDashes[colour] : undefined;
}
