import { getRouteApi } from "@tanstack/react-router";
import { useEffect } from "react";
import { PageHeader } from "../../app/PageHeader";
import { QueryLanguageContext } from "../../components/query/language";
import { TimeTools } from "../../components/time/TimeTools";
import { useSpan } from "../../components/time/useSpan";
import { spansLanguage } from "./language";
import { rememberSearch } from "./lastSearch";
import { TracesView } from "./TracesView";
import { decodeTracesView, encodeTracesView, limits, type TracesView as View } from "./url";

const route = getRouteApi("/traces");

/** Traces: a query over spans, their durations over time, and the traces that have such spans. */
export function TracesPage() {
  const view = decodeTracesView(route.useSearch() as Record<string, unknown>);
  const navigate = route.useNavigate();
  const everyMs = view.refreshS === null ? null : view.refreshS * 1000;
  const live = useSpan(view.range, view.query, everyMs, false);
  useEffect(() => rememberSearch(encodeTracesView(view)));
  const update = (change: Partial<View>) => {
    const replace = Object.keys(change).every((name) => ["refreshS", "zone", "limit"].includes(name));
    // Another question is answered with its first traces.
    const limit = change.query !== undefined || change.range !== undefined ? { limit: limits[0] } : {};
    void navigate({ search: encodeTracesView({ ...view, ...limit, ...change }), replace });
  };
  return (
    <QueryLanguageContext value={spansLanguage}>
      <PageHeader title="Traces">
        <TimeTools view={view} live={live} onChange={update} />
      </PageHeader>
      <TracesView view={view} live={live} onChange={update} />
    </QueryLanguageContext>
  );
}
