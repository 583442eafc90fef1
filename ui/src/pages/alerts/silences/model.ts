// Silences as the page lists them: what they match, when they end, which come first.
import { type AmAlert, fromSilenceMatcher, type Silence } from "../../../api/alertmanager";
import { hasEveryWord } from "../../../lib/find";
import { formatMatcher, formatMatchers, matchesAll } from "../../../lib/matchers";
import { plural } from "../../../lib/number";
import { formatDuration } from "../../../lib/time/format";
import { type SilenceState, type SilencesView, silenceStates } from "./url";

export interface ListedSilence {
  silence: Silence;
  state: SilenceState;
  /** Each matcher as it is written. */
  matchers: string[];
  /** All of them, as a filter of the list of alerts. */
  filter: string;
  /** How many open alerts it keeps quiet, or would; null where that is not known or not asked. */
  matched: number | null;
}

/** The state at this moment: what was active when it was asked for may have ended since. */
export function stateAt({ startsAt, endsAt }: Silence, nowMs: number): SilenceState {
  if (Date.parse(endsAt) <= nowMs) return "expired";
  return Date.parse(startsAt) > nowMs ? "pending" : "active";
}

export function listOf(silences: Silence[], alerts: AmAlert[] | null, nowMs: number): ListedSilence[] {
  return silences.map((silence) => {
    const matchers = silence.matchers.map(fromSilenceMatcher);
    const state = stateAt(silence, nowMs);
    return {
      silence,
      state,
      matchers: matchers.map(formatMatcher),
      filter: formatMatchers(matchers),
      matched: alerts === null || state === "expired" ? null : alerts.filter(isMatched).length,
    };

    // The server has said whom an active one keeps quiet; of one that is to come the matchers tell.
    function isMatched({ labels, status }: AmAlert): boolean {
      return state === "active" ? status.silencedBy.includes(silence.id) : matchesAll(matchers, labels);
    }
  });
}

/** Those that are wanted: in force the one that ends first, then what begins first, then what ended last. */
export function shownOf(
  list: ListedSilence[],
  { state, filter }: Pick<SilencesView, "state" | "filter">,
): ListedSilence[] {
  const wanted = filter.trim();
  return list
    .filter((one) => (state === null ? one.state !== "expired" : one.state === state))
    .filter(({ silence: { comment, createdBy }, matchers }) =>
      wanted === "" ? true : hasEveryWord([comment, createdBy, ...matchers].join(" "), wanted),
    )
    .sort((a, b) => silenceStates.indexOf(a.state) - silenceStates.indexOf(b.state) || rankOf(a) - rankOf(b));
}

function rankOf({ silence, state }: ListedSilence): number {
  if (state === "pending") return Date.parse(silence.startsAt);
  return Date.parse(silence.endsAt) * (state === "expired" ? -1 : 1);
}

export function countStates(list: ListedSilence[]): Record<SilenceState, number> {
  const counts = { active: 0, pending: 0, expired: 0 };
  for (const { state } of list) counts[state] += 1;
  return counts;
}

/** "ends in 1 h 42 min", "begins in 10 min, for 2 h", "ended 3 h ago". */
export function whenText({ startsAt, endsAt }: Silence, state: SilenceState, nowMs: number): string {
  const [startMs, endMs] = [Date.parse(startsAt), Date.parse(endsAt)];
  if (state === "expired") return `ended ${formatDuration(Math.max(0, nowMs - endMs))} ago`;
  if (state === "pending")
    return `begins in ${formatDuration(startMs - nowMs)}, for ${formatDuration(endMs - startMs)}`;
  return `ends in ${formatDuration(endMs - nowMs)}`;
}

/** What it keeps quiet, in a sentence of the question whether to end it. */
export function expiryText({ state, matched }: ListedSilence): string {
  if (state === "pending") return "It has not begun, and will not begin.";
  if (matched === null) return "People are told again of what it keeps quiet.";
  return matched === 0
    ? "No open alert is kept quiet by it now."
    : `People are told again of ${plural(matched, "alert")} that it keeps quiet now.`;
}
