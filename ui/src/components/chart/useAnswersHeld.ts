import { useRef } from "react";
import { type Asked, useRanges } from "./useAnswers";

/** As useRanges; a chart that left the screen keeps its question, so that it does not go blank on the way back. */
export function useAnswersHeld(asked: Asked[]) {
  const held = useRef(asked);
  if (asked.some(({ enabled }) => enabled)) held.current = asked;
  const current = held.current.length === asked.length ? held.current : asked;
  return useRanges(current.map((one, at) => ({ ...one, enabled: asked[at]?.enabled ?? false })));
}
