import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Stored } from "../../api/bottlenecks";
import type { Zone } from "../../lib/time/zone";
import { encodeLogsView, plainView as plainLogs } from "../logs/url";
import { emptyQuery, encodeMetricsView, plainView as plainMetrics } from "../metrics/url";
import { encodeTracesView, plainView as plainTraces } from "../traces/url";
import { hotRange, rangeOf, targetNames, targetOf } from "./evidence";

interface EvidenceLinkProps {
  query: string;
  stored: Stored;
  zone: Zone;
  className: string | undefined;
  children?: ReactNode;
}

/** The raw data of a finding, on the page that can ask further: the time before and after the onset. */
export function EvidenceLink({ query, stored, zone, className, children }: EvidenceLinkProps) {
  const { page, text } = targetOf(query);
  const range = rangeOf(stored, Date.now());
  const shown = children ?? targetNames[page];
  if (page === "logs")
    return (
      <Link
        to="/logs"
        search={encodeLogsView({ ...plainLogs, query: text, range, zone })}
        className={className}
      >
        {shown}
      </Link>
    );
  if (page === "traces")
    return (
      <Link
        to="/traces"
        search={encodeTracesView({
          ...plainTraces,
          query: text,
          range: hotRange(stored, Date.now()),
          zone,
          order: "slowest",
        })}
        className={className}
      >
        {shown}
      </Link>
    );
  const queries = [{ ...emptyQuery, text }];
  return (
    <Link
      to="/explore"
      search={encodeMetricsView({ ...plainMetrics, queries, range, zone })}
      className={className}
    >
      {shown}
    </Link>
  );
}
