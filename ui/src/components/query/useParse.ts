import { useQuery } from "@tanstack/react-query";
import { parseQuery } from "../../api/logs";

/** The language is one, so one address reads every query. */
export function useParse(query: string) {
  return useQuery({
    queryKey: ["logs", "parse", query],
    queryFn: ({ signal }) => parseQuery(query, signal),
    enabled: query.trim() !== "",
  });
}
