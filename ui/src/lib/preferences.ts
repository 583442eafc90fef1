// What this browser remembers: small choices that no link should carry.
export interface Preferences {
  /** null: by the window's width. */
  railOpen: boolean | null;
  shortcuts: boolean;
  recentRanges: { from: string; to: string }[];
  /** Newest first. */
  recentQueries: string[];
  facetsShown: boolean;
  /** The fields of the facets in their order; null: those that the server chooses. */
  facets: string[] | null;
  /** The same on the traces page. */
  spanFacets: string[] | null;
  /** Facets that show their name only. */
  facetsFolded: string[];
  /** Whose data is looked at; null: the session's own tenant. */
  tenant: string | null;
}

const key = "narrows.preferences";
const queryLimit = 30;
const initial: Preferences = {
  railOpen: null,
  shortcuts: true,
  recentRanges: [],
  recentQueries: [],
  facetsShown: true,
  facets: null,
  spanFacets: null,
  facetsFolded: [],
  tenant: null,
};
const listeners = new Set<() => void>();
let current: Preferences | null = null;

export function readPreferences(): Preferences {
  current ??= load();
  return current;
}

export function writePreferences(change: Partial<Preferences>): void {
  current = { ...readPreferences(), ...change };
  try {
    localStorage.setItem(key, JSON.stringify(current));
  } catch {
    // Storage is full or switched off; the choice then lasts until the page is closed.
  }
  for (const listener of listeners) listener();
}

/** Puts a query that was run in front of the recent ones. */
export function rememberQuery(query: string): void {
  const text = query.trim();
  if (text === "" || text === "*") return;
  const others = readPreferences().recentQueries.filter((old) => old !== text);
  writePreferences({ recentQueries: [text, ...others].slice(0, queryLimit) });
}

export function subscribePreferences(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function load(): Preferences {
  try {
    const stored = JSON.parse(localStorage.getItem(key) ?? "{}") as Partial<Preferences>;
    return {
      railOpen: typeof stored.railOpen === "boolean" ? stored.railOpen : null,
      shortcuts: stored.shortcuts !== false,
      recentRanges: Array.isArray(stored.recentRanges) ? stored.recentRanges.filter(isRange).slice(0, 5) : [],
      recentQueries: Array.isArray(stored.recentQueries)
        ? stored.recentQueries.filter((query) => typeof query === "string").slice(0, queryLimit)
        : [],
      facetsShown: stored.facetsShown !== false,
      facets: Array.isArray(stored.facets) ? texts(stored.facets) : null,
      spanFacets: Array.isArray(stored.spanFacets) ? texts(stored.spanFacets) : null,
      facetsFolded: texts(stored.facetsFolded),
      tenant: typeof stored.tenant === "string" ? stored.tenant : null,
    };
  } catch {
    return initial;
  }
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string").slice(0, 50) : [];
}

function isRange(value: unknown): value is { from: string; to: string } {
  const range = value as { from?: unknown; to?: unknown } | null;
  return typeof range?.from === "string" && typeof range.to === "string";
}
