import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useShortcuts } from "../../../components/useShortcuts";
import { findRows } from "../../../lib/trace/find";
import type { TraceView } from "../../../lib/trace/view";
import { wholeWindow, zoomed } from "../../../lib/trace/window";
import { TraceVerdict } from "../../bottlenecks/TraceVerdict";
import { SpanDrawer } from "./drawer/SpanDrawer";
import { FindBar } from "./FindBar";
import { FlameGraph } from "./FlameGraph";
import { PathLegend } from "./PathLegend";
import { SpanTable } from "./SpanTable";
import { TraceActions } from "./TraceActions";
import { TraceHead } from "./TraceHead";
import styles from "./TracePage.module.css";
import type { TraceViewState } from "./url";
import { useOpenTrace } from "./useTrace";
import { useWindow } from "./useWindow";
import { useLines } from "./waterfall/useLines";
import { WaterfallTab } from "./waterfall/WaterfallTab";

interface TraceBodyProps {
  view: TraceView;
  state: TraceViewState;
  onChange: (change: Partial<TraceViewState>) => void;
}

export function TraceBody({ view, state, onChange }: TraceBodyProps) {
  const trace = useOpenTrace(view);
  const pathOnly = state.pathOnly && view.path.length > 0;
  const handle = useLines(trace, pathOnly);
  const selectedRow = useMemo(
    () => (state.span === null ? -1 : view.spans.id.indexOf(state.span)),
    [view, state.span],
  );
  const [window, setWindow] = useWindow(view, state.zoom, (zoom) => onChange({ zoom }));
  const [activeRow, setActiveRow] = useState(selectedRow);
  const [activeFold, setActiveFold] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const foundRows = useMemo(() => findRows(view, state.find), [view, state.find]);
  const found = useMemo(() => new Set(foundRows), [foundRows]);
  const foundAt = foundRows.indexOf(activeRow);
  const { lines } = handle;
  const onWaterfall = state.tab === "waterfall";

  const activeLine = useMemo(() => {
    if (activeRow < 0) return -1;
    const line = lines.lineOf[activeRow] ?? -1;
    // Of an open fold, its own line and that of its first call have the same row.
    return activeFold && line > 0 && lines.row[line - 1] === activeRow ? line - 1 : line;
  }, [lines, activeRow, activeFold]);
  const goTo = (line: number) => {
    const row = lines.row[line];
    if (row === undefined) return;
    setActiveRow(row);
    setActiveFold(lines.isFold[line] === 1);
  };
  const select = useCallback(
    (row: number) => onChange({ span: view.spans.id[row] ?? null }),
    [view, onChange],
  );
  /** Brings a row into sight, whatever hides it. */
  const show = (row: number) => {
    handle.reveal(row);
    setActiveRow(row);
    setActiveFold(false);
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each span that is opened
  useEffect(() => {
    if (selectedRow >= 0) show(selectedRow);
  }, [selectedRow]);

  const openLine = (line: number) => {
    if (lines.isFold[line] === 1) handle.setOpen(line, !handle.isOpen(line));
    else select(lines.row[line] ?? 0);
  };
  const move = (by: number) => {
    const next = Math.min(lines.count - 1, Math.max(0, activeLine + by));
    goTo(next);
    // With the drawer open, it follows.
    if (selectedRow >= 0 && lines.isFold[next] === 0) select(lines.row[next] ?? 0);
  };
  const fold = (open: boolean) => {
    if (activeLine < 0) return goTo(0);
    const now = handle.isOpen(activeLine);
    if (now !== null && now !== open) handle.setOpen(activeLine, open);
    else if (open && now) move(1);
    else if (!open) {
      const above = handle.lineAbove(activeLine);
      if (above >= 0) goTo(above);
    }
  };
  const zoom = (factor: number) => {
    const { startNs, durationNs } = view.spans;
    const middle = (startNs[activeRow] ?? 0) + (durationNs[activeRow] ?? 0) / 2;
    const inside = activeRow >= 0 && middle >= window.fromNs && middle <= window.toNs;
    setWindow(zoomed(window, factor, inside ? middle : (window.fromNs + window.toNs) / 2, view.durationNs));
  };
  const step = (by: 1 | -1) => {
    if (foundRows.length === 0) return;
    const next =
      foundAt >= 0
        ? (foundAt + by + foundRows.length) % foundRows.length
        : by > 0
          ? Math.max(
              0,
              foundRows.findIndex((row) => row > activeRow),
            )
          : foundRows.length - 1;
    arrive(foundRows[next] ?? 0);
  };
  /** Goes to a row, from whatever tab, and takes the open drawer along. */
  const arrive = (row: number, change: Partial<TraceViewState> = {}) => {
    show(row);
    const span = selectedRow >= 0 ? { span: view.spans.id[row] ?? null } : {};
    const tab = onWaterfall ? {} : { tab: "waterfall" as const };
    if (Object.keys({ ...change, ...span, ...tab }).length > 0) onChange({ ...change, ...span, ...tab });
  };
  const find = (text: string, goes: boolean) => {
    const [first] = goes ? findRows(view, text) : [];
    if (first === undefined) onChange({ find: text });
    else arrive(first, { find: text });
  };
  // Only the waterfall has lines to leave out.
  const togglePath = () =>
    onChange({ pathOnly: !state.pathOnly, ...(!onWaterfall && { tab: "waterfall" as const }) });
  useShortcuts({
    "/": () => input.current?.focus(),
    n: () => step(1),
    "Shift N": () => step(-1),
    "Shift P": togglePath,
    p: togglePath,
    Escape: () => {
      if (state.span !== null) onChange({ span: null });
      else if (state.find !== "") onChange({ find: "" });
    },
    ...(onWaterfall && {
      j: () => move(1),
      k: () => move(-1),
      ArrowDown: () => move(1),
      ArrowUp: () => move(-1),
      ArrowRight: () => fold(true),
      ArrowLeft: () => fold(false),
      Enter: () => activeLine >= 0 && openLine(activeLine),
      "+": () => zoom(0.6),
      "=": () => zoom(0.6),
      "-": () => zoom(1 / 0.6),
      "0": () => setWindow(wholeWindow(view.durationNs)),
    }),
  });
  return (
    <main className={styles.page}>
      <TraceActions
        tab={state.tab}
        onTab={(tab) => onChange({ tab })}
        onPathOnly={togglePath}
        onFind={() => input.current?.focus()}
        onOpenAll={handle.openAll}
        onCloseAll={handle.closeAll}
      />
      <div className={styles.column}>
        <TraceHead trace={trace} tab={state.tab} onTab={(tab) => onChange({ tab })} />
        <TraceVerdict view={view} zone={state.zone} className={styles.verdict} />
        <div className={styles.tools}>
          <PathLegend trace={trace} />
          {onWaterfall && (
            <button
              type="button"
              className={`button button-small ${styles.pathOnly}`}
              aria-pressed={pathOnly}
              disabled={view.path.length === 0}
              title="Only the spans that the trace waited for, and their callers (P)"
              onClick={togglePath}
            >
              Path only <kbd>P</kbd>
            </button>
          )}
          <FindBar
            ref={input}
            find={state.find}
            count={foundRows.length}
            at={foundAt}
            onFind={find}
            onStep={step}
          />
        </div>
        {state.span !== null && selectedRow < 0 && (
          <p className={styles.absent} role="status">
            Span <span className="mono">{state.span}</span> is not in this trace.{" "}
            <button type="button" className="link" onClick={() => onChange({ span: null })}>
              Forget it
            </button>
          </p>
        )}
        {view.spans.count === 0 ? (
          <p className={styles.none}>This trace has no span left.</p>
        ) : onWaterfall ? (
          <WaterfallTab
            trace={trace}
            handle={handle}
            window={window}
            found={found}
            selectedRow={selectedRow}
            activeLine={activeLine}
            onWindow={setWindow}
            onZoom={zoom}
            onActive={goTo}
            onOpen={openLine}
          />
        ) : state.tab === "flame" ? (
          <FlameGraph
            trace={trace}
            zoomRow={state.frame === null ? -1 : view.spans.id.indexOf(state.frame)}
            selectedRow={selectedRow}
            onZoom={(row) => onChange({ frame: row < 0 ? null : (view.spans.id[row] ?? null) })}
            onSelect={select}
          />
        ) : (
          <SpanTable
            trace={trace}
            sort={state.sort}
            reverse={state.reverse}
            selectedRow={selectedRow}
            onSort={(sort) => onChange({ sort, reverse: sort === state.sort ? !state.reverse : false })}
            onSelect={select}
          />
        )}
      </div>
      {selectedRow >= 0 && (
        <SpanDrawer
          trace={trace}
          row={selectedRow}
          show={state.show}
          zone={state.zone}
          onShow={(show) => onChange({ show })}
          onSelect={select}
          onClose={() => onChange({ span: null })}
        />
      )}
    </main>
  );
}
