import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

interface TraceLinkProps {
  traceId: string;
  spanId?: string | null | undefined;
  className?: string | undefined;
  /** Names a link that shows an icon only, and is its title. */
  label?: string | undefined;
  /** As the label, where something else shows it. */
  hiddenLabel?: string | undefined;
  tabIndex?: number;
  children: ReactNode;
}

const traces: string = "/traces";

/** Opens a trace; with a span, at that span. */
export function TraceLink(props: TraceLinkProps) {
  const { traceId, spanId, className, label, hiddenLabel, tabIndex, children } = props;
  const to: string = `${traces}/${encodeURIComponent(traceId)}`;
  return (
    <Link
      to={to}
      search={spanId ? { span: spanId } : {}}
      className={className}
      aria-label={hiddenLabel ?? label}
      title={label}
      tabIndex={tabIndex}
      draggable={false}
    >
      {children}
    </Link>
  );
}

interface TracesLinkProps {
  search: object;
  className?: string | undefined;
  label?: string | undefined;
  children: ReactNode;
}

/** Opens the search of traces. */
export function TracesLink({ search, className, label, children }: TracesLinkProps) {
  return (
    <Link to={traces} search={{ ...search }} className={className} aria-label={label} title={label}>
      {children}
    </Link>
  );
}
