import { useEffect, useState } from "react";

/** What is looked for, at once on the page and a moment later in the address, which brings it back. */
export function useFindText(
  kept: string,
  keep: (text: string) => void,
): [text: string, set: (text: string) => void] {
  const [text, setText] = useState(kept);
  useEffect(() => setText(kept), [kept]);
  return [
    text,
    (next) => {
      setText(next);
      keep(next);
    },
  ];
}
