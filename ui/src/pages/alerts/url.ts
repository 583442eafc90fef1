// The list of alerts as URL parameters.
export const alertStates = ["firing", "pending", "silenced", "resolved"] as const;
export type AlertStateFilter = (typeof alertStates)[number];

export interface AlertsView {
  filter: string;
  /** null: all that are not over. */
  state: AlertStateFilter | null;
}

export interface AlertsSearch {
  filter?: string;
  state?: AlertStateFilter;
}

export function encodeAlertsView({ filter, state }: AlertsView): AlertsSearch {
  return { ...(filter !== "" && { filter }), ...(state !== null && { state }) };
}

/** Never fails: what is malformed becomes its default. */
export function decodeAlertsView(search: Record<string, unknown>): AlertsView {
  return {
    filter: typeof search.filter === "string" ? search.filter : "",
    state: alertStates.find((state) => state === search.state) ?? null,
  };
}
