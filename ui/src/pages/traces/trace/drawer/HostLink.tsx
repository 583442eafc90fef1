import { Link } from "@tanstack/react-router";
import { absoluteRange, type Span } from "../../../../lib/time/range";
import { encodeTimeView, plainTime } from "../../../../lib/time/view";
import type { Zone } from "../../../../lib/time/zone";

const aroundMs = 5 * 60_000;

/** The span's time with what was before and after it, for what changes slowly. */
export function aroundSpan(startMs: number, endMs: number): Span {
  const margin = Math.max(aroundMs, endMs - startMs);
  return { startMs: Math.floor(startMs - margin), endMs: Math.ceil(endMs + margin) };
}

interface HostLinkProps {
  host: string;
  startMs: number;
  endMs: number;
  zone: Zone;
  children?: string;
}

/** To the host's own page, at the time of the span. */
export function HostLink({ host, startMs, endMs, zone, children = host }: HostLinkProps) {
  const range = absoluteRange(aroundSpan(startMs, endMs));
  return (
    <Link
      to="/hosts/$host"
      params={{ host }}
      search={encodeTimeView({ ...plainTime, range, zone })}
      className="link"
    >
      {children}
    </Link>
  );
}
