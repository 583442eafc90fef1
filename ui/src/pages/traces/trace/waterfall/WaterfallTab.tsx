import { useCallback, useState } from "react";
import { clamped, isWhole, type Window, wholeWindow } from "../../../../lib/trace/window";
import { Minimap } from "../Minimap";
import type { OpenTrace } from "../useTrace";
import type { LinesHandle } from "./useLines";
import { Waterfall } from "./Waterfall";
import { WaterfallHead } from "./WaterfallHead";

interface WaterfallTabProps {
  trace: OpenTrace;
  handle: LinesHandle;
  window: Window;
  found: ReadonlySet<number>;
  selectedRow: number;
  activeLine: number;
  onWindow: (window: Window) => void;
  onZoom: (factor: number) => void;
  onActive: (line: number) => void;
  onOpen: (line: number) => void;
}

/** The minimap over the waterfall, as wide as its bars. */
export function WaterfallTab(props: WaterfallTabProps) {
  const { trace, handle, window, found, selectedRow, activeLine, onWindow, onZoom, onActive, onOpen } = props;
  const { durationNs } = trace.view;
  const [edges, setEdges] = useState({ left: 0, right: 0 });
  const onLayout = useCallback(
    ({ left, right }: { left: number; right: number }) =>
      setEdges((old) => (old.left === left && old.right === right ? old : { left, right })),
    [],
  );
  return (
    <>
      <WaterfallHead
        left={edges.left}
        right={edges.right}
        zoomed={!isWhole(window, durationNs)}
        onWhole={() => onWindow(wholeWindow(durationNs))}
        onZoom={onZoom}
        onOpenAll={handle.openAll}
        onCloseAll={handle.closeAll}
      >
        <Minimap trace={trace} window={window} onWindow={onWindow} />
      </WaterfallHead>
      <Waterfall
        trace={trace}
        handle={handle}
        window={window}
        found={found}
        selectedRow={selectedRow}
        activeLine={activeLine}
        onWindow={(next) => onWindow(clamped(next, durationNs))}
        onActive={onActive}
        onOpen={onOpen}
        onLayout={onLayout}
      />
    </>
  );
}
