// A silence while it is written: what it would match, until when, and what is still wrong with it.
import type { NewSilence, Silence } from "../../api/alertmanager";
import { fromSilenceMatcher } from "../../api/alertmanager";
import { type Matcher, matches, regexProblem } from "../../lib/matchers";
import { formatMoment } from "../../lib/time/format";
import { parseMomentText } from "../../lib/time/phrase";
import type { Zone } from "../../lib/time/zone";

export interface SilenceDraft {
  matchers: Matcher[];
  /** Milliseconds from the moment it is saved; null: `untilText` says the end. */
  forMs: number | null;
  untilText: string;
  /** Null: it begins when it is saved. */
  startsAt: string | null;
  comment: string;
}

const hourMs = 3_600_000;
export const durationsMs = [
  hourMs / 2,
  hourMs,
  2 * hourMs,
  4 * hourMs,
  12 * hourMs,
  24 * hourMs,
  168 * hourMs,
];
export const emptyMatcher: Matcher = { name: "", op: "=", value: "" };
export const plainDraft: SilenceDraft = {
  matchers: [emptyMatcher],
  forMs: 2 * hourMs,
  untilText: "",
  startsAt: null,
  comment: "",
};

/** The draft that changes a silence. One that ended begins anew, for as long as it was. */
export function draftOf(silence: Silence, zone: Zone, nowMs: number): SilenceDraft {
  const [startMs, endMs] = [Date.parse(silence.startsAt), Date.parse(silence.endsAt)];
  const isOver = endMs <= nowMs;
  return {
    matchers: silence.matchers.map(fromSilenceMatcher),
    forMs: isOver ? Math.max(60_000, endMs - startMs) : null,
    untilText: formatMoment(endMs, zone),
    startsAt: isOver ? null : silence.startsAt,
    comment: silence.comment,
  };
}

/** When it ends; null when the text is no time. */
export function endMsOf({ forMs, untilText }: SilenceDraft, zone: Zone, nowMs: number): number | null {
  return forMs === null ? parseMomentText(untilText, nowMs, zone) : nowMs + forMs;
}

export interface DraftProblems {
  /** By the place of the matcher. */
  matchers: (string | null)[];
  /** Of all of them together. */
  all: string | null;
  end: string | null;
  comment: string | null;
}

export function problemsOf(draft: SilenceDraft, zone: Zone, nowMs: number): DraftProblems {
  const matchers = draft.matchers.map(matcherProblem);
  const isLoose = draft.matchers.every((matcher) => matches(matcher, ""));
  const end = endMsOf(draft, zone, nowMs);
  return {
    matchers,
    all:
      draft.matchers.length === 0
        ? "Name at least one label: a silence without matchers is refused."
        : matchers.every((one) => one === null) && isLoose
          ? "Each of these also matches alerts without the label. Let at least one require a value."
          : null,
    end:
      end === null
        ? "Not a time: write 2026-01-31 10:00:00."
        : end <= nowMs
          ? "The end has passed: choose a later one."
          : null,
    comment: draft.comment.trim() === "" ? "Say why: others will read it at night." : null,
  };
}

function matcherProblem({ name, op, value }: Matcher): string | null {
  if (name.trim() === "") return "Name a label.";
  return op.endsWith("~") ? regexProblem(value) && `${regexProblem(value)}.` : null;
}

export function isClean({ matchers, all, end, comment }: DraftProblems): boolean {
  return [...matchers, all, end, comment].every((problem) => problem === null);
}

export function silenceOf(
  draft: SilenceDraft,
  { id, user, zone, nowMs }: { id?: string | undefined; user: string; zone: Zone; nowMs: number },
): NewSilence {
  return {
    ...(id !== undefined && { id }),
    matchers: draft.matchers.map((matcher) => ({ ...matcher, name: matcher.name.trim() })),
    startsAt: draft.startsAt ?? new Date(nowMs).toISOString(),
    endsAt: new Date(endMsOf(draft, zone, nowMs) ?? nowMs).toISOString(),
    createdBy: user,
    comment: draft.comment.trim(),
  };
}

/** What the preview has to say loudly; null when it is as one would expect. */
export function previewWarning(matched: number, all: number): string | null {
  if (matched === 0) return "No alert that is open now matches. The silence will wait for one.";
  if (matched === all && all > 1) return `This silences every alert that is open now: all ${all}.`;
  return null;
}
