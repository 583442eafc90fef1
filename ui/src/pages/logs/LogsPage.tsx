import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { PageHeader } from "../../app/PageHeader";
import { RefreshControl } from "../../components/time/RefreshControl";
import { TimeControls } from "../../components/time/TimeControls";
import { useSpan } from "../../components/time/useSpan";
import { rememberQuery } from "../../lib/preferences";
import { EmptyState } from "./EmptyState";
import { LogsActions } from "./LogsActions";
import { LogsView } from "./LogsView";
import { LiveButton } from "./live/LiveButton";
import { LiveView } from "./live/LiveView";
import { useLiveState } from "./live/useLiveState";
import { decodeLogsView, encodeLogsView, type LogsView as View } from "./url";
import { useStatus } from "./useLogs";
import { SavedViews } from "./views/SavedViews";

const route = getRouteApi("/logs");

/** Logs: query, histogram, rows. Before the first record arrives: how to send data. */
export function LogsPage() {
  const view = decodeLogsView(route.useSearch() as Record<string, unknown>);
  const navigate = route.useNavigate();
  const [reading, setReading] = useState(false);
  const everyMs = view.refreshS === null ? null : view.refreshS * 1000;
  const pause = view.record
    ? "waits while a record is open"
    : reading
      ? "waits while you read further down"
      : null;
  // Whoever leaves the live tail searches up to then, with what it has shown.
  const question = `${view.live} ${view.query}`;
  const { span, nowMs, generation, refresh } = useSpan(view.range, question, everyMs, pause !== null);

  // Opening a record is a detail of the view, not a step to come back to; everything else is.
  const update = (change: Partial<View>) => {
    const replace = Object.keys(change).every(
      (name) =>
        name === "record" ||
        name === "refreshS" ||
        name === "zone" ||
        name === "patterns" ||
        name === "chart",
    );
    if (change.query !== undefined) rememberQuery(change.query);
    void navigate({ search: encodeLogsView({ ...view, ...change }), replace });
  };

  const [live, pauseLive] = useLiveState(view.live, view.query);
  const [waiting, setWaiting] = useState<boolean | null>(null);
  const status = useStatus(waiting ? 2000 : false);
  // Decided once, by what was sent: logging in already writes a record. When the first one arrives, the page says so and the person opens the logs.
  if (waiting === null && status.data) setWaiting(status.data.logs.sent === 0);
  if (waiting && status.data) {
    const open = () => {
      setWaiting(false);
      refresh();
    };
    return (
      <>
        <PageHeader title="Logs" />
        <EmptyState status={status.data} zone={view.zone} onOpen={open} />
      </>
    );
  }
  return (
    <>
      <PageHeader title="Logs" lead={<SavedViews view={view} />}>
        <TimeControls
          range={view.range}
          span={span}
          nowMs={nowMs}
          zone={view.zone}
          live={live}
          // A time range is a question about what is stored; it ends the live tail.
          onRange={(range) => update({ range, live: false })}
          onZone={(zone) => update({ zone })}
        />
        {!view.live && (
          <RefreshControl
            everyS={view.refreshS}
            pause={pause}
            onRefresh={refresh}
            onEvery={(refreshS) => update({ refreshS })}
          />
        )}
        <LiveButton live={view.live} onLive={(live) => update({ live, record: null })} />
      </PageHeader>
      <LogsActions view={view} onChange={update} onRefresh={refresh} />
      {live ? (
        <LiveView view={view} paused={live.paused} onPaused={pauseLive} onChange={update} />
      ) : (
        <LogsView
          view={view}
          span={span}
          generation={generation}
          settled={waiting !== null || status.isError}
          lastReceivedAt={status.data?.logs.last_received_at ?? null}
          onChange={update}
          onRefresh={refresh}
          onReading={setReading}
        />
      )}
    </>
  );
}
