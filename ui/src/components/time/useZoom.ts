import { useRef } from "react";
import { absoluteRange, type Range, type Span, zoomOut } from "../../lib/time/range";

/** A drag on a chart narrows the time range; a double click goes back to where it came from. */
export function useZoom(range: Range, onRange: (range: Range) => void) {
  const zoomedFrom = useRef<Range[]>([]);
  return {
    onZoom: (target: Span) => {
      zoomedFrom.current.push(range);
      onRange(absoluteRange(target));
    },
    onZoomBack: () => onRange(zoomedFrom.current.pop() ?? zoomOut(range, Date.now())),
  };
}
