// What the patterns table shows and in which order.
import type { Pattern } from "../../../api/patterns";
import { type Severity, severities } from "../../../lib/severity";
import type { PatternSort } from "./url";

export interface TemplatePart {
  text: string;
  /** Which placeholder it is, from the left; null for literal text. */
  slot: number | null;
}

const placeholder = /<(?:num|hex|ip|uuid|\*)>/g;

/** The template in literal text and placeholders. */
export function templateParts(template: string): TemplatePart[] {
  const parts: TemplatePart[] = [];
  let at = 0;
  let slot = 0;
  for (const match of template.matchAll(placeholder)) {
    if (match.index > at) parts.push({ text: template.slice(at, match.index), slot: null });
    parts.push({ text: match[0], slot });
    slot += 1;
    at = match.index + match[0].length;
  }
  if (at < template.length) parts.push({ text: template.slice(at), slot: null });
  return parts;
}

/** The severities that occur, worst first. */
export function severitiesOf(pattern: Pattern): [severity: Severity, count: number][] {
  return severities
    .map((severity): [Severity, number] => [severity, pattern.severities[severity] ?? 0])
    .filter(([, count]) => count > 0);
}

export function arrange(patterns: Pattern[], sort: PatternSort, onlyNew: boolean): Pattern[] {
  const shown = onlyNew ? patterns.filter((pattern) => pattern.is_new) : [...patterns];
  const rank = (pattern: Pattern) => severities.indexOf(severitiesOf(pattern)[0]?.[0] ?? "unset");
  return shown.sort((a, b) => {
    const byCount = b.count - a.count || a.id.localeCompare(b.id);
    if (sort === "newest") return Date.parse(b.first_seen) - Date.parse(a.first_seen) || byCount;
    return sort === "severity" ? rank(a) - rank(b) || byCount : byCount;
  });
}
