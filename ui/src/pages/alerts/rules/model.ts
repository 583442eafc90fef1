// Groups of rules as the page lists them: files, then groups, then rules, each rule with an address of its own.
import type { Rule, RuleGroup } from "../../../api/rules";
import { hasEveryWord } from "../../../lib/find";
import { type RuleState, type RulesView, ruleStates } from "./url";

export interface ListedRule {
  /** "group/name" as links have it; "#2" behind the second of the same. */
  key: string;
  rule: Rule;
  state: RuleState;
}

export interface ListedGroup {
  group: RuleGroup;
  rules: ListedRule[];
}

export interface ListedFile {
  file: string;
  groups: ListedGroup[];
}

export function listOf(groups: RuleGroup[]): ListedFile[] {
  const files = new Map<string, ListedGroup[]>();
  const seen = new Map<string, number>();
  for (const group of groups) {
    const rules = group.rules.map((rule) => {
      const key = `${group.name}/${rule.name}`;
      const count = (seen.get(key) ?? 0) + 1;
      seen.set(key, count);
      return { key: count === 1 ? key : `${key}#${count}`, rule, state: stateOf(rule) };
    });
    const known = files.get(group.file);
    if (known) known.push({ group, rules });
    else files.set(group.file, [{ group, rules }]);
  }
  return [...files]
    .map(([file, members]) => ({ file, groups: members }))
    .sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0));
}

/** A rule that cannot be evaluated says nothing about alerts, so that it is told before their state. */
export function stateOf(rule: Rule): RuleState {
  if (rule.health === "err") return "failing";
  if (rule.type === "recording") return "recording";
  return rule.state === "unknown" ? "inactive" : rule.state;
}

/** How many rules there are of each state. */
export function countStates(files: ListedFile[]): Record<RuleState, number> {
  const counts = Object.fromEntries(ruleStates.map((state) => [state, 0])) as Record<RuleState, number>;
  for (const { state } of allRules(files)) counts[state] += 1;
  return counts;
}

export function allRules(files: ListedFile[]): ListedRule[] {
  return files.flatMap(({ groups }) => groups.flatMap(({ rules }) => rules));
}

/** What is left of files and groups when only some rules are wanted; those without any are left out. */
export function filterList(
  files: ListedFile[],
  { state, filter }: Pick<RulesView, "state" | "filter">,
): ListedFile[] {
  const wanted = filter.trim();
  const isWanted = (file: string, group: string, { rule, state: own }: ListedRule) =>
    (state === null || own === state) && (wanted === "" || hasEveryWord(textOf(file, group, rule), wanted));
  return files
    .map(({ file, groups }) => ({
      file,
      groups: groups
        .map(({ group, rules }) => ({ group, rules: rules.filter((one) => isWanted(file, group.name, one)) }))
        .filter(({ rules }) => rules.length > 0),
    }))
    .filter(({ groups }) => groups.length > 0);
}

/** The first rules of a long list, in their files and groups. */
export function firstRules(files: ListedFile[], limit: number): ListedFile[] {
  let left = limit;
  return files
    .map(({ file, groups }) => ({
      file,
      groups: groups
        .map(({ group, rules }) => {
          const part = rules.slice(0, left);
          left -= part.length;
          return { group, rules: part };
        })
        .filter(({ rules }) => rules.length > 0),
    }))
    .filter(({ groups }) => groups.length > 0);
}

function textOf(file: string, group: string, { name, query, labels }: Rule): string {
  const marks = Object.entries(labels).map(([label, value]) => `${label}=${value}`);
  return [file, group, name, query, ...marks].join(" ");
}

export interface FoundRule extends ListedRule {
  group: RuleGroup;
}

/** The rule of an address; null when no file has it any more. */
export function findRule(files: ListedFile[], key: string): FoundRule | null {
  for (const { groups } of files)
    for (const { group, rules } of groups) {
      const found = rules.find((one) => one.key === key);
      if (found) return { ...found, group };
    }
  return null;
}

/** When it was evaluated; null when it was not yet. */
export function evaluatedMs(lastEvaluation: string): number | null {
  const ms = Date.parse(lastEvaluation);
  // Go's zero time stands for never.
  return Number.isNaN(ms) || ms <= 0 ? null : ms;
}

/** A group that takes more than half of its interval will soon be late. */
export function isSlow({
  interval,
  evaluationTime,
}: Pick<RuleGroup, "interval" | "evaluationTime">): boolean {
  return interval > 0 && evaluationTime > interval / 2;
}
