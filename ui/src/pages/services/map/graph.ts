// What the map shows of an answer: nodes and edges, and above a readable number of them, several as one.
import type { Edge, EdgeType, MapAnswer } from "../../../api/services";
import type { Grouping } from "../url";

export interface GraphNode {
  id: string;
  name: string;
  type: EdgeType | "group";
  rate: number;
  errors: number | null;
  p95_ns: number | null;
  /** Of a group; empty for a node of its own. */
  members: string[];
  /** The part of the rate whose errors are known. */
  counted: number;
}

export interface GraphEdge extends Edge {
  id: string;
  /** Of how many calls it is made; more than one with groups. */
  parts: number;
  counted: number;
}

export interface Graph {
  nodes: GraphNode[];
  edges: GraphEdge[];
}

/** More do not fit a screen so that they can be read. */
export const readableNodes = 30;
/** Fewer are not worth a fold. */
const [leastLeaves, leastPrefix] = [2, 3];

export interface Shown {
  graph: Graph;
  /** What was done to make room. */
  grouping: Exclude<Grouping, "auto">;
  /** How many nodes there are without groups. */
  total: number;
}

/** `opened` are ids of groups whose members are shown one by one. */
export function shownGraph(answer: MapAnswer, wanted: Grouping, opened: ReadonlySet<string>): Shown {
  const whole = wholeGraph(answer);
  const total = whole.nodes.length;
  if (wanted === "none" || (wanted === "auto" && total <= readableNodes))
    return { graph: whole, grouping: "none", total };
  const leaves = leafGroups(whole);
  // What is opened does not decide how the rest is grouped.
  const enough = wanted === "leaves" || total - sparedBy(leaves) <= readableNodes;
  const grouping = wanted !== "prefix" && enough ? "leaves" : "prefix";
  const groups = grouping === "leaves" ? leaves : prefixGroups(whole);
  return { graph: merged(whole, without(groups, opened)), grouping, total };
}

/** So many nodes fewer. */
function sparedBy(groups: Group[]): number {
  return groups.reduce((sum, { members }) => sum + members.length - 1, 0);
}

/** Sorted, and with a node for each end of an edge, so that the same answer is the same graph. */
function wholeGraph({ nodes, edges }: MapAnswer): Graph {
  const known = new Map<string, GraphNode>();
  for (const node of nodes)
    known.set(node.id, { ...node, name: node.id, members: [], counted: countedOf(node) });
  const missing = (id: string, type: EdgeType): void => {
    if (!known.has(id))
      known.set(id, { id, name: id, type, rate: 0, errors: null, p95_ns: null, members: [], counted: 0 });
  };
  for (const { client, server, type } of edges) {
    missing(client, "service");
    missing(server, type);
  }
  const listed = new Map<string, GraphEdge>();
  for (const edge of edges) {
    const id = edgeId(edge.client, edge.server);
    listed.set(id, joined(listed.get(id), { ...edge, id, parts: 1, counted: countedOf(edge) }));
  }
  return {
    nodes: [...known.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
    edges: [...listed.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
  };
}

export function edgeId(client: string, server: string): string {
  return `${client}\n${server}`;
}

interface Group {
  id: string;
  name: string;
  members: string[];
}

/** What one caller alone calls and what calls nobody: its databases, its externals, its small helpers. */
function leafGroups({ nodes, edges }: Graph): Group[] {
  const callers = new Map<string, Set<string>>();
  const calling = new Set<string>();
  for (const { client, server } of edges) {
    if (client === server) continue;
    calling.add(client);
    callers.set(server, (callers.get(server) ?? new Set()).add(client));
  }
  const byCaller = new Map<string, GraphNode[]>();
  for (const node of nodes) {
    const [caller, ...others] = callers.get(node.id) ?? [];
    if (calling.has(node.id) || caller === undefined || others.length > 0) continue;
    byCaller.set(caller, [...(byCaller.get(caller) ?? []), node]);
  }
  return [...byCaller]
    .filter(([, leaves]) => leaves.length >= leastLeaves)
    .map(([caller, leaves]) => ({
      id: `leaves of ${caller}`,
      name: `${leaves.length} ${kindOf(leaves)}`,
      members: leaves.map(({ id }) => id),
    }));
}

function kindOf(nodes: GraphNode[]): string {
  const [type, ...others] = new Set(nodes.map((node) => node.type));
  if (others.length > 0) return "leaves";
  return {
    service: "services",
    database: "databases",
    messaging: "queues",
    external: "externals",
    group: "",
  }[type ?? "service"];
}

/** "billing-api" and "billing.worker" begin alike. */
function prefixGroups({ nodes }: Graph): Group[] {
  const byPrefix = new Map<string, string[]>();
  for (const { id } of nodes) {
    const prefix = /^.+?[-./:_]/.exec(id)?.[0];
    if (prefix !== undefined) byPrefix.set(prefix, [...(byPrefix.get(prefix) ?? []), id]);
  }
  return [...byPrefix]
    .filter(([, members]) => members.length >= leastPrefix)
    .map(([prefix, members]) => ({ id: `names with ${prefix}`, name: `${prefix}*`, members }));
}

function without(groups: Group[], opened: ReadonlySet<string>): Group[] {
  return groups.filter(({ id }) => !opened.has(id));
}

function merged(whole: Graph, groups: Group[]): Graph {
  const groupOf = new Map(groups.flatMap((group) => group.members.map((id) => [id, group] as const)));
  const place = (id: string) => groupOf.get(id)?.id ?? id;
  const nodes = new Map<string, GraphNode>();
  for (const node of whole.nodes) {
    const group = groupOf.get(node.id);
    if (!group) nodes.set(node.id, node);
    else nodes.set(group.id, withMember(nodes.get(group.id), group, node));
  }
  const edges = new Map<string, GraphEdge>();
  for (const edge of whole.edges) {
    const [client, server] = [place(edge.client), place(edge.server)];
    // Calls within a group are not on the map.
    if (client === server && client !== edge.client) continue;
    const id = edgeId(client, server);
    edges.set(id, joined(edges.get(id), { ...edge, id, client, server }));
  }
  return {
    nodes: [...nodes.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
    edges: [...edges.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
  };
}

function withMember(known: GraphNode | undefined, group: Group, node: GraphNode): GraphNode {
  const before = known ?? { rate: 0, errors: null, p95_ns: null, counted: 0 };
  return {
    ...group,
    type: "group",
    rate: before.rate + node.rate,
    errors: share(before, node),
    p95_ns: highest(before.p95_ns, node.p95_ns),
    counted: before.counted + node.counted,
  };
}

function joined(known: GraphEdge | undefined, edge: GraphEdge): GraphEdge {
  if (!known) return edge;
  return {
    ...known,
    type: known.type === edge.type ? known.type : "service",
    rate: known.rate + edge.rate,
    errors: share(known, edge),
    client_p95_ns: highest(known.client_p95_ns, edge.client_p95_ns),
    server_p95_ns: highest(known.server_p95_ns, edge.server_p95_ns),
    gap_p95_ns: highest(known.gap_p95_ns, edge.gap_p95_ns),
    parts: known.parts + edge.parts,
    counted: known.counted + edge.counted,
  };
}

interface Counted {
  errors: number | null;
  counted: number;
}

function countedOf({ rate, errors }: { rate: number; errors: number | null }): number {
  return errors === null ? 0 : rate;
}

/** Of both together. */
function share(a: Counted, b: Counted): number | null {
  if (a.errors === null || b.errors === null) return a.errors ?? b.errors;
  const counted = a.counted + b.counted;
  return counted > 0 ? (a.counted * a.errors + b.counted * b.errors) / counted : Math.max(a.errors, b.errors);
}

function highest(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.max(a, b);
}
