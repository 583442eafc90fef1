import { type KeyboardEvent, useRef } from "react";
import { traceAddress } from "../../../api/traces";
import { CopyButton } from "../../../components/CopyButton";
import { Icon } from "../../../components/Icon";
import { PartialTag } from "../../../components/PartialTag";
import type { Json } from "../../../lib/json";
import { formatCount, plural } from "../../../lib/number";
import { formatNanos } from "../../../lib/time/nanosText";
import { errorStatus, nameOf, rootRow, serviceOf } from "../../../lib/trace/view";
import styles from "./TracePage.module.css";
import { type TraceTab, traceTabs } from "./url";
import { type OpenTrace, useSpanDetail } from "./useTrace";

interface TraceHeadProps {
  trace: OpenTrace;
  tab: TraceTab;
  onTab: (tab: TraceTab) => void;
}

const tabNames: Record<TraceTab, string> = { waterfall: "Waterfall", flame: "Flame", table: "Table" };

/** What the trace is of, how it ended, how long it took, and how much there is of it. */
export function TraceHead({ trace: { view, tree }, tab, onTab }: TraceHeadProps) {
  const { spans } = view;
  const root = rootRow(view);
  const rootId = spans.count > 0 ? (spans.id[root] ?? null) : null;
  const detail = useSpanDetail(view.traceId, rootId);
  const failed = spans.status[root] === errorStatus;
  const code = statusCode(detail.data?.[0]?.attributes ?? {});
  const errors = errorsIn(spans.status);
  const orphans = spans.isOrphan.reduce((sum, one) => sum + one, 0);
  const counts = [
    plural(spans.count, "span"),
    plural(view.services.length, "service"),
    ...(view.hosts.length > 0 ? [plural(view.hosts.length, "host")] : []),
  ];
  const tabs = useRef<HTMLDivElement>(null);
  const onKey = (event: KeyboardEvent) => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (by === 0) return;
    event.preventDefault();
    event.stopPropagation();
    const next = (traceTabs.indexOf(tab) + by + traceTabs.length) % traceTabs.length;
    onTab(traceTabs[next] ?? "waterfall");
    tabs.current?.querySelectorAll<HTMLElement>("[role=tab]")[next]?.focus();
  };
  return (
    <div className={styles.head}>
      <h2 className={styles.title}>
        {serviceOf(view, root)} {nameOf(view, root)}
      </h2>
      {(failed || code !== null) && (
        <span className={failed ? "tag tag-crit" : "tag"}>{code ?? "error"}</span>
      )}
      <span className={styles.duration}>{formatNanos(view.durationNs)}</span>
      <span className={styles.counts}>
        {counts.join(", ")}
        {errors > 0 && <span className={styles.errors}>, {plural(errors, "error")}</span>}
        {orphans > 0 && `, ${formatCount(orphans)} without ${orphans === 1 ? "its parent" : "their parents"}`}
        {tree.end.length === 0 && ", empty"}
      </span>
      <PartialTag
        warnings={view.partial && view.warnings.length === 0 ? ["spans are missing"] : view.warnings}
      />
      <span className="grow" />
      <div className={styles.actions}>
        <CopyButton
          text={view.traceId}
          label="Copy id"
          className={`button button-quiet button-small ${styles.action}`}
        />
        <a
          className={`button button-quiet button-small ${styles.action}`}
          href={traceAddress(view.traceId)}
          download={`trace-${view.traceId}.json`}
          title="All of it as OTLP/JSON"
        >
          <Icon name="download" small />
          <span>JSON</span>
        </a>
      </div>
      <div ref={tabs} className={styles.segments} role="tablist" aria-label="View">
        {traceTabs.map((one) => (
          <button
            key={one}
            type="button"
            role="tab"
            aria-selected={one === tab}
            tabIndex={one === tab ? 0 : -1}
            className={styles.segment}
            onClick={() => onTab(one)}
            onKeyDown={onKey}
          >
            {tabNames[one]}
          </button>
        ))}
      </div>
    </div>
  );
}

function errorsIn(status: Uint8Array): number {
  let errors = 0;
  for (const one of status) if (one === errorStatus) errors += 1;
  return errors;
}

/** As the protocol says it: 200, 503, or gRPC's number. */
function statusCode(attributes: { [key: string]: Json }): string | null {
  const http = attributes["http.response.status_code"] ?? attributes["http.status_code"];
  if (typeof http === "number" || typeof http === "string") return String(http);
  const grpc = attributes["rpc.grpc.status_code"];
  return typeof grpc === "number" || typeof grpc === "string" ? `gRPC ${grpc}` : null;
}
