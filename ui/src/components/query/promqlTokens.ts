// What PromQL's parts are coloured by, in the editor and where a query is only shown.
import { type Tag, tags } from "@lezer/highlight";
import type { Role } from "../../theme/tokens";

export const promqlTokens: { tag: Tag[]; role: Role }[] = [
  { tag: [tags.labelName, tags.attributeName], role: "syn-field" },
  { tag: [tags.string, tags.special(tags.string)], role: "syn-string" },
  { tag: [tags.number, tags.integer], role: "syn-value" },
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword], role: "syn-verb" },
  { tag: [tags.function(tags.variableName)], role: "syn-verb" },
  { tag: [tags.operator, tags.paren, tags.brace, tags.squareBracket], role: "text-2" },
  { tag: [tags.comment], role: "text-3" },
];
