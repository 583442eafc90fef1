import { getRouteApi } from "@tanstack/react-router";
import { useCallback, useMemo, useState } from "react";
import type { MapAnswer } from "../../../api/services";
import { PageHeader } from "../../../app/PageHeader";
import { toggleTables, useTables } from "../../../components/chart/tables";
import { FindField } from "../../../components/FindField";
import { PartialTag } from "../../../components/PartialTag";
import { TimeTools } from "../../../components/time/TimeTools";
import { useSpan } from "../../../components/time/useSpan";
import { useZoom } from "../../../components/time/useZoom";
import { useFindText } from "../../../components/useFindText";
import { useShortcuts } from "../../../components/useShortcuts";
import { plural } from "../../../lib/number";
import { paintedBy } from "../../bottlenecks/match";
import { useOpenVerdicts } from "../../bottlenecks/useVerdicts";
import { hasWords } from "../rows";
import { ServicesTabs } from "../ServicesTabs";
import { Failed, NoServices, StaleTag } from "../states";
import { decodeMapView, encodeMapView, type Grouping, type MapView } from "../url";
import { useServiceMap } from "../useServices";
import { GroupChoice } from "./GroupChoice";
import { type Graph, type GraphNode, type Shown, shownGraph } from "./graph";
import styles from "./Map.module.css";
import { MapCanvas } from "./MapCanvas";
import { MapDrawer } from "./MapDrawer";
import { MapLegend } from "./MapLegend";
import { MapTables } from "./MapTables";
import { forgetLayout, useMapLayout } from "./useMapLayout";

const route = getRouteApi("/services/map");
const nothing: MapAnswer = { nodes: [], edges: [], until: null, warnings: [] };

/** Who calls whom: a map with the callers at the left, and a drawer for the node that is looked at. */
export function MapPage() {
  const view = decodeMapView(route.useSearch() as Record<string, unknown>);
  const navigate = route.useNavigate();
  const everyMs = view.refreshS === null ? null : view.refreshS * 1000;
  const live = useSpan(view.range, "services map", everyMs, false);
  const { span, generation, refresh } = live;
  const { data, error, isPending } = useServiceMap(span, generation);
  const asTables = useTables();
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const [arranged, setArranged] = useState(0);

  const update = useCallback(
    (change: Partial<MapView>) => {
      const keeps = Object.keys(change).every((name) => name !== "range" && name !== "node");
      const replace = keeps || (change.node !== undefined && view.node !== null);
      void navigate({ search: encodeMapView({ ...view, ...change }), replace });
    },
    [navigate, view],
  );
  const zoom = useZoom(view.range, (range) => update({ range }));
  const answer = data ?? nothing;
  const { data: verdicts } = useOpenVerdicts();
  const painted = useMemo(() => paintedBy(verdicts ?? []), [verdicts]);
  const shown = useMemo(() => shownGraph(answer, view.group, opened), [answer, view.group, opened]);
  const { graph } = shown;
  const key = [shown.grouping, ...[...opened].sort()].join("\n");
  // The counter asks for the layout once more, from nothing.
  const layout = useMapLayout(graph, `${key}\n${arranged}`);

  const open = useCallback(
    (node: GraphNode) => {
      if (node.type === "group") setOpened((old) => new Set(old).add(node.id));
      else update({ node: node.id });
    },
    [update],
  );
  const close = () => update({ node: null });
  const [text, setText] = useFindText(view.find, (find) => update({ find }));
  const found = useMemo(() => foundIn(graph, text), [graph, text]);
  useShortcuts({
    "Shift T": toggleTables,
    ...(view.node !== null && { Escape: close }),
  });
  const openFirst = () => {
    const first = graph.nodes.find(({ id }) => found?.has(id));
    if (first) open(first);
  };
  const choose = (group: Grouping) => {
    setOpened(new Set());
    update({ group });
  };
  return (
    <>
      <PageHeader
        title="Services"
        lead={
          <>
            <ServicesTabs shown="map" view={view} />
            <GroupChoice chosen={view.group} onChoose={choose} />
          </>
        }
      >
        <TimeTools view={view} live={live} onChange={update} />
      </PageHeader>
      <div className={styles.page}>
        <main className={styles.main}>
          {graph.nodes.length > 0 ? (
            <section className={styles.main} aria-label="Service map">
              {asTables ? (
                <MapTables graph={graph} onOpen={open} />
              ) : (
                <MapCanvas
                  graph={graph}
                  layout={layout}
                  selected={view.node}
                  found={found}
                  painted={painted}
                  onOpen={open}
                  onArrange={() => {
                    forgetLayout(`${key}\n${arranged + 1}`);
                    setArranged(arranged + 1);
                  }}
                >
                  <MapLegend graph={graph} hasPath={painted.edges.size > 0} />
                </MapCanvas>
              )}
              <div className={styles.tags}>
                <FindField
                  label="Find on the map"
                  placeholder="Find on the map"
                  size="small"
                  text={text}
                  onText={setText}
                  onEnter={openFirst}
                />
                <Counts shown={shown} found={found} />
                {opened.size > 0 && (
                  <button type="button" className="button button-small" onClick={() => setOpened(new Set())}>
                    Fold again
                  </button>
                )}
                <StaleTag until={answer.until} span={span} zone={view.zone} />
                <PartialTag warnings={[...answer.warnings, ...(error ? [error.message] : [])]} />
              </div>
            </section>
          ) : (
            <div className={styles.message}>
              {error ? (
                <Failed error={error} onRetry={refresh} />
              ) : isPending ? (
                <div className="skeleton" style={{ height: 320 }} />
              ) : (
                <NoServices />
              )}
            </div>
          )}
        </main>
        {view.node !== null && graph.nodes.length > 0 && (
          <MapDrawer
            key={view.node}
            name={view.node}
            answer={answer}
            view={view}
            span={span}
            generation={generation}
            onClose={close}
            {...zoom}
          />
        )}
      </div>
    </>
  );
}

function foundIn({ nodes }: Graph, text: string): ReadonlySet<string> | null {
  if (text.trim() === "") return null;
  const isFound = ({ name, members }: GraphNode) =>
    hasWords(name, text) || members.some((member) => hasWords(member, text));
  return new Set(nodes.filter(isFound).map(({ id }) => id));
}

function Counts({ shown, found }: { shown: Shown; found: ReadonlySet<string> | null }) {
  const { nodes, edges } = shown.graph;
  const grouped = nodes.length < shown.total;
  return (
    <span className="tag" aria-live="polite">
      {found !== null
        ? `${found.size} of ${plural(nodes.length, "node")} found`
        : grouped
          ? `${shown.total} nodes as ${nodes.length}, ${plural(edges.length, "edge")}`
          : `${plural(nodes.length, "node")}, ${plural(edges.length, "edge")}`}
    </span>
  );
}
