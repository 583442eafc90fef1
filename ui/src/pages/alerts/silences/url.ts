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

/** What a new silence begins with: matchers as Alertmanager's links write them, or an older silence. */
export interface NewSilence {
  filter: string;
  /** The id of the silence whose matchers and comment are taken over. */
  from: string | null;
}

export interface NewSilenceSearch {
  filter?: string;
  from?: string;
}

export function encodeNewSilence({ filter, from }: NewSilence): NewSilenceSearch {
  return { ...(filter !== "" && { filter }), ...(from !== null && { from }) };
}

export function decodeNewSilence(search: Record<string, unknown>): NewSilence {
  return {
    filter: typeof search.filter === "string" ? search.filter : "",
    from: typeof search.from === "string" && search.from !== "" ? search.from : null,
  };
}
