// Notes of what a file needs and this app does not have: each once, under the panel's title.
import type { Lacking } from "./model";

export class Notes {
  private readonly found = new Map<string, Lacking>();

  add(panel: string | null, what: string): void {
    this.found.set(`${panel ?? ""}\n${what}`, { panel, what });
  }

  of(panel: string | null): (what: string) => void {
    return (what) => this.add(panel, what);
  }

  list(): Lacking[] {
    return [...this.found.values()];
  }
}

export type Note = (what: string) => void;

/** By panel, in the order of the dashboard; what is of the whole dashboard is first. */
export function byPanel(lacking: Lacking[]): { panel: string | null; whats: string[] }[] {
  const groups = new Map<string | null, string[]>();
  for (const { panel, what } of lacking) groups.set(panel, [...(groups.get(panel) ?? []), what]);
  return [...groups]
    .map(([panel, whats]) => ({ panel, whats }))
    .sort((a, b) => Number(a.panel !== null) - Number(b.panel !== null));
}
