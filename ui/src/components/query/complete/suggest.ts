// What to offer at a place of the query, best first.
import type { FieldName } from "../../../api/fields";
import type { ValueCount } from "../../../api/patterns";
import { formatCount, formatShare } from "../../../lib/number";
import type { Completion, Wanted } from "../../../lib/query/completion";
import { canName, quote } from "../../../lib/query/edit";
import { logsLanguage } from "../language";

export interface Suggestion {
  /** What is shown, and matched with what is typed. */
  label: string;
  /** What takes the place of what is typed. */
  insert: string;
  detail: string;
  kind: "field" | "value" | "verb" | "keyword";
}

const limit = 12;
const plainValue = /^[\p{L}\p{N}_./][\p{L}\p{N}_./@-]*$/u;
const reserved = new Set(["AND", "OR", "NOT", "TO"]);

const stages: [name: string, does: string][] = [
  ["stats", "count and measure, by fields"],
  ["top", "the most frequent values"],
  ["sort", "by a field"],
  ["fields", "choose the columns"],
  ["limit", "at most so many"],
  ["patterns", "what the bodies have in common"],
];
const measures: [name: string, does: string][] = [
  ["count()", "how many records"],
  ["avg(", "mean of a field"],
  ["p50(", "median of a field"],
  ["p95(", "95 % are at most this"],
  ["p99(", "99 % are at most this"],
  ["quantile(", "any other share"],
  ["min(", "smallest value"],
  ["max(", "largest value"],
  ["sum(", "sum of a field"],
  ["distinct(", "how many different values"],
  ["count(", "how many records have the field"],
];
const logic: [name: string, does: string][] = [
  ["AND", "both"],
  ["OR", "one of them, or both"],
  ["NOT", "the opposite"],
];

export function suggest(
  completion: Completion,
  fields: FieldName[],
  values: ValueCount[],
  fixedValues: (field: string) => string[] | null = logsLanguage.fixedValues,
): Suggestion[] {
  const { wanted, prefix } = completion;
  const fixed = wanted.kind === "value" ? fixedValues(wanted.field) : null;
  return rank(candidates(wanted, prefix, fields, values, fixed), prefix, wanted).slice(0, limit);
}

function candidates(
  wanted: Wanted,
  prefix: string,
  fields: FieldName[],
  values: ValueCount[],
  fixed: string[] | null,
): Suggestion[] {
  switch (wanted.kind) {
    case "condition":
      return [
        ...fields.map((field) => fieldSuggestion(field, ":")),
        ...(prefix === "" ? [] : words(logic, " ")),
        ...(prefix === "" ? [] : [word("exists(", "a field is there", "")]),
      ];
    case "value":
      return fixed
        ? fixed.map((name) => ({ label: name, insert: `${name} `, detail: "", kind: "value" }))
        : values.map(valueSuggestion);
    case "field":
      return fields.map((field) => fieldSuggestion(field, ""));
    case "grouping":
      return [...fields.map((field) => fieldSuggestion(field, "")), word("bin(1m)", "per minute", "")];
    case "stage":
      return words(stages, " ", "verb");
    case "measure":
      return measures.map(([name, does]) => word(name, does, name.endsWith(")") ? " " : "", "verb"));
    case "after-sort":
      return [word("by", "a field", " ")];
    case "order":
      return [word("desc", "largest first", ""), word("asc", "smallest first", "")];
    case "after-measure":
      return [word("by", "one row for each value", " "), word("as", "another name", " ")];
  }
}

/** What begins so comes first, then what has it at the start of a part, then what has it anywhere. */
function rank(all: Suggestion[], prefix: string, wanted: Wanted): Suggestion[] {
  const typed = prefix.toLowerCase();
  const place = ({ label, kind }: Suggestion): number => {
    const text = label.toLowerCase();
    if (text.startsWith(typed)) return 0;
    // A keyword is offered to who begins to write it, not for a letter in its middle.
    if (kind === "keyword" || kind === "verb") return -1;
    const at = text.indexOf(typed);
    return at < 0 ? -1 : /[.\-_/]/.test(text.charAt(at - 1)) ? 1 : 2;
  };
  const ranked = all
    .map((suggestion) => ({ suggestion, rank: place(suggestion) }))
    .filter(({ rank: at }) => at >= 0)
    .sort((a, b) => a.rank - b.rank)
    .map(({ suggestion }) => suggestion);
  // Nothing to add to what is typed out already.
  const [only] = ranked;
  const complete = ranked.length === 1 && only?.label.toLowerCase() === typed && wanted.kind !== "condition";
  return complete ? [] : ranked;
}

function fieldSuggestion({ name, type, share }: FieldName, behind: string): Suggestion {
  return {
    label: name,
    insert: `${canName(name) ? name : quote(name)}${behind}`,
    detail: `${type}, in ${formatShare(share)}`,
    kind: "field",
  };
}

function valueSuggestion({ value, count }: ValueCount): Suggestion {
  const plain = plainValue.test(value) && !reserved.has(value);
  return {
    label: value,
    insert: `${plain ? value : quote(value)} `,
    detail: formatCount(count),
    kind: "value",
  };
}

function word(
  label: string,
  detail: string,
  behind: string,
  kind: Suggestion["kind"] = "keyword",
): Suggestion {
  return { label, insert: `${label}${behind}`, detail, kind };
}

function words(list: [string, string][], behind: string, kind: Suggestion["kind"] = "keyword"): Suggestion[] {
  return list.map(([name, does]) => word(name, does, behind, kind));
}
