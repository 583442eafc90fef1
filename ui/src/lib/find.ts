/** Does the text have every word that is looked for, wherever it stands? */
export function hasEveryWord(text: string, wanted: string): boolean {
  const low = text.toLowerCase();
  return wanted
    .toLowerCase()
    .split(/\s+/)
    .every((word) => low.includes(word));
}
