// Finds what a person means by a few typed letters.
import type { MarkRange } from "./query/terms";

export interface FuzzyMatch {
  /** Higher is better; only to compare matches of one pattern. */
  score: number;
  /** What to mark in the text, sorted and without overlap. */
  ranges: MarkRange[];
}

/** Each word of the pattern must be in the text: as it stands, or else letter by letter in its order. */
export function fuzzyMatch(text: string, pattern: string): FuzzyMatch | null {
  const folded = text.toLowerCase();
  const words = pattern.toLowerCase().split(/\s+/).filter(Boolean);
  // Folding can change the length (İ), and then no place would be right.
  if (folded.length !== text.length) return words.length === 0 ? { score: 0, ranges: [] } : null;
  let score = 0;
  const ranges: MarkRange[] = [];
  for (const word of words) {
    const found = whole(folded, word) ?? scattered(folded, word);
    if (!found) return null;
    score += found.score;
    ranges.push(...found.ranges);
  }
  return { score: score - text.length / 1000, ranges: union(ranges) };
}

function whole(text: string, word: string): FuzzyMatch | null {
  let best: FuzzyMatch | null = null;
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    const score = 100 + (at === 0 ? 60 : beginsWord(text, at) ? 40 : 0) - at / 100;
    if (!best || score > best.score) best = { score, ranges: [{ start: at, end: at + word.length }] };
  }
  return best;
}

/** Letters apart must each begin a word, as in "rc" for "reset the columns"; anything else is chance. */
function scattered(text: string, word: string): FuzzyMatch | null {
  const ranges: MarkRange[] = [];
  for (const letter of word) {
    const last = ranges.at(-1);
    if (last && text.startsWith(letter, last.end)) {
      last.end += letter.length;
      continue;
    }
    const start = nextWord(text, letter, last?.end ?? 0);
    if (start < 0) return null;
    ranges.push({ start, end: start + letter.length });
  }
  return { score: 30 - ranges.length, ranges };
}

function nextWord(text: string, letter: string, from: number): number {
  let at = text.indexOf(letter, from);
  while (at >= 0 && !beginsWord(text, at)) at = text.indexOf(letter, at + 1);
  return at;
}

function beginsWord(text: string, at: number): boolean {
  return at === 0 || !/[\p{L}\p{N}]/u.test(text.charAt(at - 1));
}

function union(ranges: MarkRange[]): MarkRange[] {
  const sorted = [...ranges].sort((a, b) => a.start - b.start);
  const merged: MarkRange[] = [];
  for (const range of sorted) {
    const last = merged.at(-1);
    if (last && range.start <= last.end) last.end = Math.max(last.end, range.end);
    else merged.push({ ...range });
  }
  return merged;
}
