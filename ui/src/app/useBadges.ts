import { useOpenVerdicts } from "../pages/bottlenecks/useVerdicts";
import { useFiring } from "./useFiring";

export interface Badge {
  count: number;
  /** What is counted, for who hears it. */
  word: string;
  accent: boolean;
}

/** The numbers beside pages; a page without any has none. */
export function useBadges(): Partial<Record<string, Badge>> {
  const firing = useFiring();
  const verdicts = useOpenVerdicts().data?.length ?? 0;
  return {
    ...(verdicts > 0 && { "/bottlenecks": { count: verdicts, word: "open", accent: true } }),
    ...(firing !== null && firing > 0 && { "/alerts": { count: firing, word: "firing", accent: false } }),
  };
}
