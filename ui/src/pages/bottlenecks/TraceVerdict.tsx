import type { Zone } from "../../lib/time/zone";
import type { TraceView } from "../../lib/trace/view";
import { matchTrace } from "./match";
import { useOpenVerdicts } from "./useVerdicts";
import { VerdictNote } from "./VerdictNote";

interface TraceVerdictProps {
  view: TraceView;
  zone: Zone;
  className: string | undefined;
}

/** The open verdict that a trace of its time went through. */
export function TraceVerdict({ view, zone, className }: TraceVerdictProps) {
  const { data } = useOpenVerdicts();
  const startMs = Date.parse(view.start);
  const found = matchTrace(data ?? [], view.services, startMs, startMs + view.durationNs / 1e6);
  return (
    found && (
      <div className={className}>
        <VerdictNote stored={found} plays="path" zone={zone} />
      </div>
    )
  );
}
