import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { fetchSpan, fetchTraceView } from "../../../api/traces";
import { assignColours } from "../../../lib/chart/colours";
import { type Tree, treeOf } from "../../../lib/trace/tree";
import type { TraceView } from "../../../lib/trace/view";

export function useTraceView(traceId: string) {
  return useQuery({
    queryKey: ["traces", "view", traceId],
    queryFn: ({ signal }) => fetchTraceView(traceId, signal),
    // Checked arrays of numbers are large, and comparing them tells nothing.
    structuralSharing: false,
  });
}

export function useSpanDetail(traceId: string, spanId: string | null) {
  return useQuery({
    queryKey: ["traces", "span", traceId, spanId],
    queryFn: ({ signal }) => fetchSpan(traceId, spanId ?? "", signal),
    enabled: spanId !== null,
  });
}

/** A trace with what follows from it: everything that its parts draw from. */
export interface OpenTrace {
  view: TraceView;
  tree: Tree;
  /** Of each service, in the order of `view.services`. */
  colours: (number | string)[];
}

export function useOpenTrace(view: TraceView): OpenTrace {
  return useMemo(
    () => ({
      view,
      tree: treeOf(view),
      colours: assignColours(view.services.map((label) => ({ label }))),
    }),
    [view],
  );
}
