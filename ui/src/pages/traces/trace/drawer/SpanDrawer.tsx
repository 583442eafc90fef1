import { type KeyboardEvent, type ReactNode, useRef } from "react";
import { ApiError } from "../../../../api/http";
import type { SpanDetail } from "../../../../api/traces";
import { CopyButton } from "../../../../components/CopyButton";
import { Icon } from "../../../../components/Icon";
import { cssColour } from "../../../../lib/chart/colours";
import { formatClockMs } from "../../../../lib/time/format";
import { formatNanos, formatPercent } from "../../../../lib/time/nanosText";
import type { Zone } from "../../../../lib/time/zone";
import { callOf } from "../../../../lib/trace/tree";
import { errorStatus, hostOf, kindNames, nameOf, serviceOf } from "../../../../lib/trace/view";
import { headline, sentence } from "../../../../lib/words";
import { type SpanTab, spanTabs } from "../url";
import { type OpenTrace, useSpanDetail } from "../useTrace";
import { Attributes } from "./Attributes";
import { HostLink } from "./HostLink";
import { HostPressure } from "./HostPressure";
import styles from "./SpanDrawer.module.css";
import { SpanEvents } from "./SpanEvents";
import { SpanLinks } from "./SpanLinks";
import { SpanLogs } from "./SpanLogs";

interface SpanDrawerProps {
  trace: OpenTrace;
  row: number;
  show: SpanTab;
  zone: Zone;
  onShow: (show: SpanTab) => void;
  onSelect: (row: number) => void;
  onClose: () => void;
}

/** Everything of one span: its numbers, what it carries, its logs, and what its host waited for meanwhile. */
export function SpanDrawer({ trace, row, show, zone, onShow, onSelect, onClose }: SpanDrawerProps) {
  const { view, tree, colours } = trace;
  const id = view.spans.id[row] ?? "";
  const detail = useSpanDetail(view.traceId, id);
  const service = serviceOf(view, row);
  // Spans that share an id differ in their service or kind.
  const kind = kindNames[view.spans.kind[row] ?? 0];
  const span =
    detail.data?.find((one) => (one.service ?? "") === service && one.kind === kind) ?? detail.data?.[0];
  const host = hostOf(view, row);
  const parent = view.spans.parent[row] ?? -1;
  const call = callOf(view, tree, row);
  const startMs = Date.parse(view.start) + (view.spans.startNs[row] ?? 0) / 1e6;
  const endMs = startMs + (view.spans.durationNs[row] ?? 0) / 1e6;
  const failed = view.spans.status[row] === errorStatus;
  return (
    <aside className={styles.drawer} aria-label="Span">
      <div className={styles.head}>
        <span
          className="swatch"
          style={{ background: cssColour(colours[view.spans.service[row] ?? 0] ?? 9) }}
        />
        <h2 className={styles.title}>{nameOf(view, row)}</h2>
        <CopyButton
          text={() => window.location.href}
          label="Copy link"
          icon="link"
          className={`button button-quiet button-icon ${styles.copy}`}
        />
        <button
          type="button"
          className="button button-quiet button-icon"
          aria-label="Close the span"
          aria-keyshortcuts="Escape"
          onClick={onClose}
        >
          <Icon name="close" small />
        </button>
      </div>
      <div className={styles.scroll}>
        <p className={styles.where}>
          <span>{service}</span>
          {host !== null && (
            <>
              on <HostLink host={host} startMs={startMs} endMs={endMs} zone={zone} />
            </>
          )}
          {parent >= 0 && (
            <>
              called by{" "}
              <button type="button" className="link" onClick={() => onSelect(parent)}>
                {serviceOf(view, parent) === service ? nameOf(view, parent) : serviceOf(view, parent)}
              </button>
            </>
          )}
          {call.of > 1 && (
            <span>
              call {call.at} of {call.of}
            </span>
          )}
          {view.spans.isAsync[row] === 1 && <span>nobody waits for it</span>}
        </p>
        {failed && (
          <p className={styles.failed}>
            <Icon name="alert" small />
            <span>{span?.status_message ? headline(span.status_message) : "This span failed."}</span>
          </p>
        )}
        {view.spans.isOrphan[row] === 1 && (
          <p className={styles.missing}>
            Its parent{span?.parent_id ? <span className="mono"> {span.parent_id}</span> : ""} is not in this
            trace: not sent, not sampled, or not here yet.
          </p>
        )}
        <SpanNumbers trace={trace} row={row} />
        <Tabs span={span} show={show} onShow={onShow} />
        <div className={styles.tab} role="tabpanel" aria-label={tabNames[show]}>
          {detail.error ? (
            <p className={styles.note} role="alert">
              {sentence(detail.error.message)}{" "}
              {detail.error instanceof ApiError && detail.error.hint ? sentence(detail.error.hint) : ""}{" "}
              <button type="button" className="link" onClick={() => void detail.refetch()}>
                Try again
              </button>
            </p>
          ) : !span ? (
            <div className={`skeleton ${styles.skeleton}`} />
          ) : (
            <TabBody span={span} show={show} zone={zone} />
          )}
        </div>
        <SpanLogs view={view} spanId={id} zone={zone} />
        {host !== null && <HostPressure host={host} startMs={startMs} endMs={endMs} zone={zone} />}
        <p className={styles.foot}>
          <span className="text3">Started at </span>
          {formatClockMs(startMs, zone)} <span className="text3">span </span>
          <span className="mono">{id}</span>
        </p>
      </div>
    </aside>
  );
}

function SpanNumbers({ trace: { view, tree }, row }: { trace: OpenTrace; row: number }) {
  const onPath = tree.pathNs[row] ?? 0;
  const whole = view.path.reduce((sum, { fromNs, toNs }) => sum + (toNs - fromNs), 0);
  const numbers: [string, string][] = [
    ["Duration", formatNanos(view.spans.durationNs[row] ?? 0)],
    ["Self", formatNanos(view.spans.selfNs[row] ?? 0)],
    ["On the path", onPath > 0 ? formatNanos(onPath) : "–"],
    ["Of the path", onPath > 0 && whole > 0 ? formatPercent(onPath / whole) : "–"],
  ];
  return (
    <dl className={styles.numbers}>
      {numbers.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

const tabNames: Record<SpanTab, string> = {
  attributes: "Attributes",
  events: "Events",
  links: "Links",
  resource: "Resource",
};

function Tabs({
  span,
  show,
  onShow,
}: {
  span: SpanDetail | undefined;
  show: SpanTab;
  onShow: (show: SpanTab) => void;
}) {
  const list = useRef<HTMLDivElement>(null);
  const counts: Record<SpanTab, number | undefined> = {
    attributes: span && Object.keys(span.attributes).length,
    events: span?.events.length,
    links: span?.links.length,
    resource: span && Object.keys(span.resource).length,
  };
  const onKey = (event: KeyboardEvent) => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (by === 0) return;
    event.preventDefault();
    event.stopPropagation();
    const next = (spanTabs.indexOf(show) + by + spanTabs.length) % spanTabs.length;
    onShow(spanTabs[next] ?? "attributes");
    list.current?.querySelectorAll<HTMLElement>("[role=tab]")[next]?.focus();
  };
  return (
    <div ref={list} className={styles.tabs} role="tablist" aria-label="Of the span">
      {spanTabs.map((tab) => (
        <button
          key={tab}
          type="button"
          role="tab"
          aria-selected={tab === show}
          tabIndex={tab === show ? 0 : -1}
          onClick={() => onShow(tab)}
          onKeyDown={onKey}
        >
          {tabNames[tab]} <span className={styles.count}>{counts[tab] || ""}</span>
        </button>
      ))}
    </div>
  );
}

function TabBody({ span, show, zone }: { span: SpanDetail; show: SpanTab; zone: Zone }): ReactNode {
  const { dropped } = span;
  switch (show) {
    case "attributes":
      return (
        <Attributes
          values={span.attributes}
          section="attributes"
          empty="This span has no attributes."
          dropped={dropped.attributes}
        />
      );
    case "events":
      return <SpanEvents span={span} zone={zone} />;
    case "links":
      return <SpanLinks span={span} />;
    case "resource":
      return (
        <Attributes
          values={span.resource}
          section="resource"
          empty="This span has no resource."
          dropped={0}
        />
      );
  }
}
