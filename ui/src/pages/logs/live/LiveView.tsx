import { useRef } from "react";
import { ApiError } from "../../../api/http";
import type { QueryError } from "../../../api/logs";
import { Message } from "../../../components/Message";
import { QueryBar } from "../../../components/query/QueryBar";
import { useShortcuts } from "../../../components/useShortcuts";
import { addCondition, filterOnly } from "../../../lib/query/edit";
import { headline, sentence } from "../../../lib/words";
import pageStyles from "../LogsView.module.css";
import { pointedCondition } from "../pointedCondition";
import { RecordActionsContext } from "../RecordActions";
import type { LogsView } from "../url";
import { usePageActions } from "../usePageActions";
import { LiveBar } from "./LiveBar";
import { LiveRows } from "./LiveRows";
import { useLiveTail } from "./useLiveTail";

interface LiveViewProps {
  view: LogsView;
  paused: boolean;
  onPaused: (paused: boolean) => void;
  onChange: (change: Partial<LogsView>) => void;
}

/** Records as they arrive. A new query applies to what comes next; leaving the view ends it. */
export function LiveView({ view, paused, onPaused, onChange }: LiveViewProps) {
  const tail = useLiveTail(view.query, paused);
  const input = useRef<HTMLTextAreaElement>(null);
  const { status, buffer } = tail;
  const refused = status.kind === "refused" ? status.error : null;
  const add = (condition: string, exclude: boolean) =>
    onChange({ query: addCondition(view.query, condition, exclude) });
  const addPointed = (exclude: boolean) => {
    const condition = pointedCondition();
    if (condition !== null) add(condition, exclude);
  };
  useShortcuts({
    "/": () => input.current?.focus(),
    f: () => addPointed(false),
    x: () => addPointed(true),
  });
  const run = (query: string) => (query === view.query ? tail.retry() : onChange({ query }));
  const actions = usePageActions(view, null, [], onChange);
  return (
    <main className={pageStyles.page}>
      <QueryBar
        ref={input}
        query={view.query}
        span={null}
        running={status.kind === "connecting"}
        runError={queryErrorOf(refused)}
        onRun={run}
      />
      <LiveBar tail={tail} paused={paused} onPaused={onPaused} onStop={() => onChange({ live: false })} />
      {refused ? (
        <Refused error={refused} query={view.query} onRun={run} />
      ) : buffer.rows.length === 0 ? (
        <Message title={paused ? "Paused" : "Nothing has arrived yet"}>
          {paused
            ? "Resume to see what arrives."
            : "Records that match appear here within a second of their arrival; older ones are in the search."}
        </Message>
      ) : (
        <RecordActionsContext value={actions}>
          <LiveRows tail={tail} query={view.query} zone={view.zone} columns={view.columns} onFilter={add} />
        </RecordActionsContext>
      )}
    </main>
  );
}

interface RefusedProps {
  error: Error;
  query: string;
  onRun: (query: string) => void;
}

function Refused({ error, query, onRun }: RefusedProps) {
  const filter = filterOnly(query);
  const stages = filter !== query.trim() && query.trim() !== "";
  return (
    <Message
      kind="error"
      title={headline(error.message)}
      actions={
        <button type="button" className="button" onClick={() => onRun(stages ? filter : query)}>
          {stages ? "Follow without the stages" : "Try again"}
        </button>
      }
    >
      {error instanceof ApiError && error.hint ? sentence(error.hint) : null}
    </Message>
  );
}

function queryErrorOf(error: Error | null): QueryError | null {
  return error instanceof ApiError && error.position ? error : null;
}
