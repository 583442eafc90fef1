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

/** Two letters scattered over a sentence mean nothing, so at least one must begin a word, the first one. */
function scattered(text: string, word: string): FuzzyMatch | null {
  for (
    let first = text.indexOf(word.charAt(0));
    first >= 0;
    first = text.indexOf(word.charAt(0), first + 1)
  ) {
    if (!beginsWord(text, first)) continue;
    const ranges: MarkRange[] = [];
    let at = first;
    let score = 20;
    for (const letter of word) {
      const next = text.indexOf(letter, at);
      if (next < 0) return null;
      const last = ranges.at(-1);
      if (last && last.end === next) {
        last.end = next + letter.length;
        score += 4;
      } else {
        ranges.push({ start: next, end: next + letter.length });
        score += beginsWord(text, next) ? 3 : -3;
      }
      at = next + letter.length;
    }
    if (ranges.length <= Math.max(2, word.length / 2 + 1)) return { score, ranges };
  }
  return null;
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
