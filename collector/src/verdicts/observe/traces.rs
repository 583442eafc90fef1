//! Some whole traces of what is asked about, from before and since: the slowest, failed ones, and any others.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Instant;

use bottleneck::{NodeId, Trace, TraceSpan, adjust_skew};
use derive::{operation_of, peer_of};
use events::SearchError;
use events::spans::{self, Snapshot, TraceId, TraceOrder};
use telemetry::Value;
use telemetry::otlp::{SpanKind, TracesRequest};

use crate::api::traces::tree::{Row, Tree};

/// Traces in all, whatever is asked.
const MAX_TRACES: usize = 160;
/// A trace with more spans, or more bytes of them, is left out.
const MAX_SPANS: usize = 5_000;
const MAX_TRACE_BYTES: usize = 8 << 20;
/// Spans of all traces together: each is held with the attributes of its resource.
const MAX_ALL_SPANS: usize = 100_000;
/// Traces are taken from so many parts of each range, so that they are not all of its last second.
const PARTS: i64 = 4;
/// Attributes of a span, and bytes of a value.
const MAX_ATTRIBUTES: usize = 32;
const MAX_VALUE_BYTES: usize = 300;

/// Attributes of the resource that may explain something.
const OF_RESOURCE: [&str; 8] = [
    "service.version",
    "service.instance.id",
    "host.name",
    "deployment.environment.name",
    "k8s.pod.name",
    "k8s.node.name",
    "cloud.availability_zone",
    "cloud.region",
];
/// Beginnings of attributes that are another in each call, or the same in all.
const NOT_OF_SPAN: [&str; 10] = [
    "thread.",
    "code.",
    "otel.",
    "telemetry.",
    "network.peer.",
    "network.local.",
    "client.port",
    "process.",
    "net.sock.",
    "user_agent.",
];

/// Whose traces, and from when; ns since 1970.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) service: String,
    pub(super) operation: Option<String>,
    pub(super) wants_errors: bool,
    pub(super) hot_ns: (i64, i64),
    pub(super) baseline_ns: (i64, i64),
}

/// What one search may take.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub(super) deadline: Instant,
    pub(super) memory_bytes: usize,
}

/// Traces as they were received.
#[derive(Debug, Default)]
pub(super) struct Raw {
    traces: BTreeMap<TraceId, spans::Trace>,
    /// Traces that were too large, or for which there was no room any more.
    pub(super) left_out: usize,
}

/// What more may be held.
struct Room {
    bytes: usize,
    spans: usize,
}

impl Room {
    /// Whether a trace is whole and fits; then its room is taken.
    fn admits(&mut self, trace: &spans::Trace) -> bool {
        let rest = (self.bytes.checked_sub(trace.payload.len()), self.spans.checked_sub(trace.spans));
        let (Some(bytes), Some(spans)) = rest else { return false };
        if trace.left_out > 0 || trace.spans > MAX_SPANS {
            return false;
        }
        (self.bytes, self.spans) = (bytes, spans);
        true
    }
}

/// Reads traces of everything that is wanted.
pub(super) async fn sample(
    snapshots: &[Snapshot],
    wanted: &[Wanted],
    bounds: Bounds,
) -> Result<Raw, SearchError> {
    let mut ids = BTreeSet::new();
    for one in wanted {
        match one.ids(snapshots, MAX_TRACES / wanted.len().max(1), bounds).await {
            Ok(found) => ids.extend(found),
            // Those that were found until then are better than none.
            Err(SearchError::Timeout) => break,
            Err(error) => return Err(error),
        }
    }
    let mut raw = Raw::default();
    // The other half is for what is made of them.
    let mut room = Room { bytes: bounds.memory_bytes / 2, spans: MAX_ALL_SPANS };
    // Ids are random: of too many symptoms each has its part in those that are read.
    for id in ids {
        if Instant::now() >= bounds.deadline || raw.traces.len() >= MAX_TRACES {
            break;
        }
        let found = spans::trace_within(snapshots, id, MAX_TRACE_BYTES.min(room.bytes)).await?;
        match found {
            Some(trace) if room.admits(&trace) => drop(raw.traces.insert(id, trace)),
            Some(_) => raw.left_out += 1,
            None => {}
        }
    }
    Ok(raw)
}

impl Wanted {
    async fn ids(
        &self,
        snapshots: &[Snapshot],
        most: usize,
        bounds: Bounds,
    ) -> Result<HashSet<TraceId>, SearchError> {
        let share = (most / 16).max(1);
        let search = async |more: &str, range: (i64, i64), order: TraceOrder, limit: usize| {
            search(snapshots, &self.query(more), range, order, limit, bounds).await
        };
        let mut ids = HashSet::new();
        for part in parts(self.baseline_ns) {
            ids.extend(search("", part, TraceOrder::Newest, 2 * share).await?);
        }
        for part in parts(self.hot_ns) {
            ids.extend(search("", part, TraceOrder::Newest, share).await?);
            let (more, order) = match self.wants_errors {
                true => (" status:error", TraceOrder::Newest),
                false => ("", TraceOrder::Slowest),
            };
            ids.extend(search(more, part, order, share).await?);
        }
        Ok(ids)
    }

    fn query(&self, more: &str) -> String {
        // A name with ids taken out is no span's name.
        let of_name = self.operation.as_deref().filter(|name| !name.contains(['{', '*', '?']));
        let name = of_name.map(|name| format!(" name:{}", quoted(name))).unwrap_or_default();
        format!("service:{} kind:in(server, consumer){name}{more}", quoted(&self.service))
    }
}

async fn search(
    snapshots: &[Snapshot],
    query: &str,
    (start_ns, end_ns): (i64, i64),
    order: TraceOrder,
    limit: usize,
    bounds: Bounds,
) -> Result<Vec<TraceId>, SearchError> {
    let query =
        ::search::parse_spans(query).map_err(|error| SearchError::Internal(format!("{query}: {error}")))?;
    let Bounds { deadline, memory_bytes } = bounds;
    let request = spans::Request { query, start_ns, end_ns, limit, order, deadline, memory_bytes };
    let found = spans::search(snapshots, &request).await?;
    Ok(found.traces.into_iter().map(|trace| trace.trace_id).collect())
}

fn parts((start_ns, end_ns): (i64, i64)) -> impl Iterator<Item = (i64, i64)> {
    let width_ns = ((end_ns - start_ns) / PARTS).max(1);
    (0..PARTS).map(move |part| start_ns + part * width_ns).map(move |start| (start, start + width_ns))
}

/// For the query language: in single quotes nothing has another meaning.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
}

/// Traces that could be read, as the analysis has them, and what they say besides.
#[derive(Debug, Default)]
pub(super) struct Sampled {
    pub(super) traces: Vec<Trace>,
    /// Whom calls of a name go to.
    pub(super) peers: BTreeMap<(NodeId, String), NodeId>,
    /// Where services run.
    pub(super) hosts: BTreeMap<NodeId, BTreeSet<String>>,
    /// First and last start of a version of a service, s since 1970.
    pub(super) versions: BTreeMap<(NodeId, String), (i64, i64)>,
    pub(super) clock_skew_ms: f64,
}

/// Reads the bytes; services that are no node are left out, and what is below them with them.
pub(super) fn read(raw: &Raw, by_name: &HashMap<String, NodeId>) -> Sampled {
    let mut sampled = Sampled::default();
    let mut peers: BTreeMap<(NodeId, String), BTreeMap<NodeId, usize>> = BTreeMap::new();
    for (id, trace) in &raw.traces {
        let tree = Tree::new(&TracesRequest::of_valid(&trace.payload));
        let Some(root) = tree.root() else { continue };
        let nodes: Vec<Option<NodeId>> =
            tree.rows.iter().map(|row| by_name.get(tree.services[row.service]).copied()).collect();
        let of_calls = peers_of(&tree, &nodes, by_name);
        let mut places: Vec<Option<usize>> = vec![None; tree.rows.len()];
        let mut spans = Vec::with_capacity(tree.rows.len());
        for at in from_root(&tree, root) {
            let Some(node) = nodes[at] else { continue };
            let (row, path) = (&tree.rows[at], &tree.path[at]);
            let operation = operation_of(&row.span);
            if let Some(peer) = of_calls[at] {
                *peers.entry((node, operation.clone())).or_default().entry(peer).or_default() += 1;
            }
            note_resource(&mut sampled, node, row);
            places[at] = Some(spans.len());
            spans.push(TraceSpan {
                parent: path.parent.and_then(|parent| places[parent]),
                node,
                peer: of_calls[at],
                operation,
                start_ns: path.start_ns,
                end_ns: path.end_ns,
                is_error: row.span.status == telemetry::otlp::StatusCode::Error,
                is_async: path.is_async,
                attributes: attributes(row),
            });
        }
        let skew_ms = skew_ns(&tree) as f64 / 1e6;
        sampled.clock_skew_ms = sampled.clock_skew_ms.max(skew_ms);
        if !spans.is_empty() {
            sampled.traces.push(Trace { id: hex(id), spans });
        }
    }
    let most = |called: BTreeMap<NodeId, usize>| called.into_iter().max_by_key(|(_, count)| *count);
    sampled.peers = peers.into_iter().filter_map(|(call, called)| Some((call, most(called)?.0))).collect();
    sampled
}

/// The rows of the root and below it first, in their order; then the others.
fn from_root(tree: &Tree<'_>, root: usize) -> Vec<usize> {
    let depth = tree.rows[root].depth;
    let below = tree.rows[root + 1..].iter().take_while(|row| row.depth > depth).count();
    let of_root = root..=root + below;
    let others = (0..tree.rows.len()).filter(|row| !of_root.contains(row));
    of_root.clone().chain(others).collect()
}

/// Whom each row calls: the service of a span that answers it, else what its attributes name.
fn peers_of(
    tree: &Tree<'_>,
    nodes: &[Option<NodeId>],
    by_name: &HashMap<String, NodeId>,
) -> Vec<Option<NodeId>> {
    let mut peers: Vec<Option<NodeId>> = vec![None; tree.rows.len()];
    for (at, row) in tree.rows.iter().enumerate() {
        let answers = matches!(row.span.kind, SpanKind::Server | SpanKind::Consumer);
        if let Some(parent) = tree.path[at].parent.filter(|_| answers)
            && is_call(tree.rows[parent].span.kind)
        {
            peers[parent] = peers[parent].or(nodes[at]);
        }
    }
    for (peer, row) in peers.iter_mut().zip(&tree.rows) {
        if peer.is_none() && is_call(row.span.kind) {
            *peer = peer_of(&row.span).and_then(|name| by_name.get(&name).copied());
        }
    }
    peers
}

fn is_call(kind: SpanKind) -> bool {
    matches!(kind, SpanKind::Client | SpanKind::Producer)
}

fn note_resource(sampled: &mut Sampled, node: NodeId, row: &Row<'_>) {
    let attributes = row.resource.attributes();
    if let Some(Value::Str(host)) = attributes.get("host.name")
        && !host.is_empty()
    {
        sampled.hosts.entry(node).or_default().insert(host.to_owned());
    }
    if let Some(Value::Str(version)) = attributes.get("service.version") {
        let at_s = i64::try_from(row.start_ns / 1_000_000_000).unwrap_or(0);
        let (first, last) = sampled.versions.entry((node, version.to_owned())).or_insert((at_s, at_s));
        (*first, *last) = ((*first).min(at_s), (*last).max(at_s));
    }
}

fn attributes(row: &Row<'_>) -> Vec<(String, String)> {
    let is_wanted = |key: &str| !NOT_OF_SPAN.iter().any(|start| key.starts_with(start));
    let own = row.span.attributes();
    let own = own.iter().filter(|(key, _)| is_wanted(key));
    let resource = row.resource.attributes();
    let of_resource = resource.iter().filter(|(key, _)| OF_RESOURCE.contains(key));
    let text = |(key, value): (&str, Value<'_>)| {
        let text = value.to_text();
        let end = text.floor_char_boundary(MAX_VALUE_BYTES);
        (key.to_owned(), text[..end].to_owned())
    };
    of_resource.chain(own).take(MAX_ATTRIBUTES).map(text).collect()
}

fn skew_ns(tree: &Tree<'_>) -> u64 {
    let clocks: Vec<Option<u32>> =
        tree.rows.iter().map(|row| row.host.and_then(|host| u32::try_from(host).ok())).collect();
    let is_answer = |at: usize| {
        let kinds = tree.path[at].parent.map(|parent| tree.rows[parent].span.kind);
        tree.rows[at].span.kind == SpanKind::Server && kinds == Some(SpanKind::Client)
    };
    adjust_skew(&tree.path, &clocks, is_answer).max_skew_ns
}

pub(super) fn hex(id: &TraceId) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_asked_in_parts() {
        assert_eq!(parts((0, 40)).collect::<Vec<_>>(), [(0, 10), (10, 20), (20, 30), (30, 40)]);
        assert_eq!(parts((5, 5)).count(), 4);
    }

    #[test]
    fn what_is_held_is_bounded() {
        let trace = |bytes: usize, spans: usize, left_out: usize| spans::Trace {
            payload: vec![0; bytes],
            spans,
            left_out,
            ..spans::Trace::default()
        };
        let mut room = Room { bytes: 1_000, spans: 6_000 };
        let cases = [
            (trace(100, MAX_SPANS + 1, 0), false, "too many spans"),
            (trace(100, 10, 1), false, "not whole"),
            (trace(900, MAX_SPANS, 0), true, "it fits"),
            (trace(101, 10, 0), false, "no room for its bytes"),
            (trace(10, 1_001, 0), false, "no room for its spans"),
            (trace(100, 1_000, 0), true, "what was refused took no room"),
            (trace(0, 1, 0), false, "full"),
        ];
        for (trace, expected, why) in cases {
            assert_eq!(room.admits(&trace), expected, "{why}");
        }
    }

    #[test]
    fn queries_can_be_read_whatever_the_names() {
        for (service, operation) in [("it's", Some("GET /a{id}")), (r"a\b", Some("GET \"x\"")), ("a b", None)]
        {
            let wanted = Wanted {
                service: service.to_owned(),
                operation: operation.map(str::to_owned),
                wants_errors: true,
                hot_ns: (0, 1),
                baseline_ns: (0, 1),
            };
            let query = wanted.query(" status:error");
            ::search::parse_spans(&query).unwrap_or_else(|error| panic!("{query}: {error}"));
        }
    }
}
