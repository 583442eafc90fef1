// The rules page as URL parameters. `rule` is "group/name", as the links in messages have it.
export const ruleStates = ["firing", "pending", "inactive", "failing", "recording"] as const;
export type RuleState = (typeof ruleStates)[number];

export interface RulesView {
  /** The rule whose drawer is open. */
  rule: string | null;
  state: RuleState | null;
  filter: string;
}

export interface RulesSearch {
  rule?: string;
  state?: RuleState;
  filter?: string;
}

export function encodeRulesView({ rule, state, filter }: RulesView): RulesSearch {
  return {
    ...(rule !== null && { rule }),
    ...(state !== null && { state }),
    ...(filter !== "" && { filter }),
  };
}

/** Never fails: what is malformed becomes its default. */
export function decodeRulesView(search: Record<string, unknown>): RulesView {
  return {
    rule: typeof search.rule === "string" && search.rule !== "" ? search.rule : null,
    state: ruleStates.find((state) => state === search.state) ?? null,
    filter: typeof search.filter === "string" ? search.filter : "",
  };
}
