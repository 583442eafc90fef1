// The silences pages as URL parameters.
export const silenceStates = ["active", "pending", "expired"] as const;
export type SilenceState = (typeof silenceStates)[number];

export interface SilencesView {
  filter: string;
  /** null: those that are or will be in force. */
  state: SilenceState | null;
}

export interface SilencesSearch {
  filter?: string;
  state?: SilenceState;
}

export function encodeSilencesView({ filter, state }: SilencesView): SilencesSearch {
  return { ...(filter !== "" && { filter }), ...(state !== null && { state }) };
}

/** Never fails: what is malformed becomes its default. */
export function decodeSilencesView(search: Record<string, unknown>): SilencesView {
  return {
    filter: typeof search.filter === "string" ? search.filter : "",
    state: silenceStates.find((state) => state === search.state) ?? null,
  };
}
