import { useQuery } from "@tanstack/react-query";
import { fetchFiringCount } from "../api/firing";

const everyMs = 15_000;

/** How many alerts fire; null while that is not known. */
export function useFiring(): number | null {
  const { data } = useQuery({
    queryKey: ["firing"],
    queryFn: ({ signal }) => fetchFiringCount(signal),
    refetchInterval: everyMs,
    staleTime: 0,
    retry: false,
  });
  return data ?? null;
}
