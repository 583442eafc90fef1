//! The spans of a trace as they are drawn: in pre-order, children by their start, each span once, whatever the
//! parents say (none, unknown, themselves, a cycle, two spans of one id).

use std::cmp::Reverse;
use std::collections::HashMap;

use bottleneck::PathSpan;
use events::spans::UNKNOWN_SERVICE;
use telemetry::Value;
use telemetry::otlp::{Resource, Span, SpanKind, TracesRequest};

/// OpenTracing's word for a reference that nobody waits for, as its bridges write it on links.
const REFERENCE_TYPE: &str = "opentracing.ref_type";
const FOLLOWS_FROM: &str = "follows_from";

/// One span, with what it is drawn with.
pub(crate) struct Row<'a> {
    pub(crate) span: Span<'a>,
    /// What emitted it.
    pub(crate) resource: Resource<'a>,
    pub(crate) span_id: [u8; 8],
    /// When it began, ns since 1970.
    pub(crate) start_ns: u64,
    pub(crate) duration_ns: u64,
    /// Place in `services`.
    pub(crate) service: usize,
    /// Place in `hosts`.
    pub(crate) host: Option<usize>,
    /// Place in `names`.
    pub(crate) name: usize,
    /// How far from its root.
    pub(crate) depth: usize,
    /// Its parent says that there is one, and it is not there.
    pub(crate) is_orphan: bool,
}

/// A trace as it is drawn.
#[derive(Default)]
pub(crate) struct Tree<'a> {
    /// In order: a parent before its children.
    pub(crate) rows: Vec<Row<'a>>,
    /// The same spans for the analysis; parents are rows before.
    pub(crate) path: Vec<PathSpan>,
    pub(crate) services: Vec<&'a str>,
    pub(crate) hosts: Vec<&'a str>,
    pub(crate) names: Vec<&'a str>,
}

/// Texts, each once.
#[derive(Default)]
struct Texts<'a> {
    all: Vec<&'a str>,
    places: HashMap<&'a str, usize>,
}

impl<'a> Texts<'a> {
    fn place(&mut self, text: &'a str) -> usize {
        *self.places.entry(text).or_insert_with(|| {
            self.all.push(text);
            self.all.len() - 1
        })
    }
}

impl<'a> Tree<'a> {
    /// Of the spans of one trace.
    pub(crate) fn new(request: &TracesRequest<'a>) -> Self {
        let mut tree = Self::read(request);
        let parents = Parents::new(&tree.rows);
        let all = tree.rows.iter().enumerate();
        let found: Vec<Option<usize>> = all.map(|(index, row)| parents.of(index, row)).collect();
        for (row, parent) in tree.rows.iter_mut().zip(&found) {
            let is_own_parent = row.span.parent_id() == Some(row.span_id);
            row.is_orphan = parent.is_none() && row.span.parent_id().is_some() && !is_own_parent;
        }
        let rows = tree.rows.iter().zip(&found);
        tree.path = rows.map(|(row, parent)| row.path_span(*parent)).collect();
        tree.arrange();
        tree
    }

    fn read(request: &TracesRequest<'a>) -> Self {
        let (mut services, mut hosts, mut names) = <(Texts<'_>, Texts<'_>, Texts<'_>)>::default();
        let mut rows = Vec::with_capacity(request.span_count());
        for resource in request.resources() {
            let service = services.place(service(resource.resource));
            let host = named(resource.resource, "host.name").map(|host| hosts.place(host));
            for span in resource.scopes().flat_map(|scope| scope.spans()) {
                let name = names.place(span.name);
                rows.push(Row::new(span, resource.resource, service, host, name));
            }
        }
        Self { rows, services: services.all, hosts: hosts.all, names: names.all, ..Self::default() }
    }

    /// Brings rows into the order in which they are drawn.
    fn arrange(&mut self) {
        let roots = bottleneck::roots(&self.path);
        for root in &roots {
            self.path[*root].parent = None;
        }
        let order = self.pre_order(roots);
        let mut place = vec![0; self.rows.len()];
        order.iter().enumerate().for_each(|(row, index)| place[*index] = row);
        let mut rows: Vec<Option<Row<'_>>> = std::mem::take(&mut self.rows).into_iter().map(Some).collect();
        let mut path = Vec::with_capacity(rows.len());
        for index in order {
            let Some(mut row) = rows[index].take() else { continue };
            let parent = self.path[index].parent.map(|parent| place[parent]);
            row.depth = parent.map_or(0, |parent| self.rows[parent].depth + 1);
            path.push(PathSpan { parent, ..self.path[index] });
            self.rows.push(row);
        }
        self.path = path;
    }

    /// Every span that can be reached from `roots`, each once.
    fn pre_order(&self, roots: Vec<usize>) -> Vec<usize> {
        let mut children: HashMap<usize, Vec<usize>> = HashMap::new();
        for (index, span) in self.path.iter().enumerate() {
            if let Some(parent) = span.parent {
                children.entry(parent).or_default().push(index);
            }
        }
        let by_start = |all: &mut Vec<usize>| {
            // The last is taken first.
            all.sort_by_key(|index| {
                let span = &self.path[*index];
                (Reverse(span.start_ns), span.end_ns, Reverse(*index))
            });
        };
        let mut open = roots;
        by_start(&mut open);
        let mut order = Vec::with_capacity(self.path.len());
        while let Some(index) = open.pop() {
            order.push(index);
            // Taken out: a parent is met once.
            if let Some(mut below) = children.remove(&index) {
                by_start(&mut below);
                open.append(&mut below);
            }
        }
        order
    }

    /// The row that stands for the whole trace: the first that has no parent and that somebody waits for; else the
    /// first whose parent is not there.
    pub(crate) fn root(&self) -> Option<usize> {
        let rank = |row: &usize| (self.rows[*row].is_orphan, self.path[*row].is_async);
        (0..self.rows.len()).filter(|row| self.path[*row].parent.is_none()).min_by_key(rank)
    }

    /// When the first span began, and for how long the trace went on.
    pub(crate) fn extent(&self) -> (u64, u64) {
        let starts = self.rows.iter().map(|row| row.start_ns).filter(|start_ns| *start_ns > 0);
        let start_ns = starts.min().unwrap_or(0);
        let ends = self.rows.iter().map(|row| row.start_ns.saturating_add(row.duration_ns));
        (start_ns, ends.max().unwrap_or(0).saturating_sub(start_ns))
    }
}

impl<'a> Row<'a> {
    fn new(span: Span<'a>, resource: Resource<'a>, service: usize, host: Option<usize>, name: usize) -> Self {
        Self {
            span_id: span.span_id().unwrap_or_default(),
            start_ns: u64::try_from(span.effective_time_ns(0)).unwrap_or(0),
            duration_ns: span.duration_ns(),
            span,
            resource,
            service,
            host,
            name,
            depth: 0,
            is_orphan: false,
        }
    }

    fn path_span(&self, parent: Option<usize>) -> PathSpan {
        PathSpan {
            parent,
            start_ns: self.start_ns,
            end_ns: self.start_ns.saturating_add(self.duration_ns),
            is_async: self.is_async(),
        }
    }

    /// Nobody waits for it: it consumes messages, or only follows from what it links to.
    fn is_async(&self) -> bool {
        match self.span.parent_id() {
            _ if self.span.kind == SpanKind::Consumer => true,
            None => self.span.links().next().is_some(),
            Some(parent) => self.span.links().any(|link| {
                link.span_id() == Some(parent)
                    && matches!(link.attributes().get(REFERENCE_TYPE), Some(Value::Str(FOLLOWS_FROM)))
            }),
        }
    }
}

/// Spans by their ids.
struct Parents<'r, 'a> {
    rows: &'r [Row<'a>],
    by_id: HashMap<[u8; 8], Vec<usize>>,
}

impl<'r, 'a> Parents<'r, 'a> {
    fn new(rows: &'r [Row<'a>]) -> Self {
        let mut by_id: HashMap<[u8; 8], Vec<usize>> = HashMap::with_capacity(rows.len());
        for (index, row) in rows.iter().enumerate() {
            by_id.entry(row.span_id).or_default().push(index);
        }
        Self { rows, by_id }
    }

    /// Zipkin's two halves of a call may share an id: the answering half is part of the asking one, and what either
    /// calls is part of the answering one.
    fn of(&self, index: usize, row: &Row<'_>) -> Option<usize> {
        if answers(row.span.kind)
            && let Some(asking) = self.find(row.span_id, index, asks)
        {
            return Some(asking);
        }
        let parent = row.span.parent_id()?;
        self.find(parent, index, answers).or_else(|| self.find(parent, index, |_| true))
    }

    fn find(&self, id: [u8; 8], other_than: usize, is_wanted: impl Fn(SpanKind) -> bool) -> Option<usize> {
        let all = self.by_id.get(&id)?.iter().copied();
        all.filter(|index| *index != other_than).find(|index| is_wanted(self.rows[*index].span.kind))
    }
}

fn answers(kind: SpanKind) -> bool {
    matches!(kind, SpanKind::Server | SpanKind::Consumer)
}

fn asks(kind: SpanKind) -> bool {
    matches!(kind, SpanKind::Client | SpanKind::Producer)
}

/// The name of a resource's service.
pub(crate) fn service(resource: Resource<'_>) -> &str {
    named(resource, "service.name").unwrap_or(UNKNOWN_SERVICE)
}

pub(crate) fn named<'a>(resource: Resource<'a>, key: &str) -> Option<&'a str> {
    match resource.attributes().get(key) {
        Some(Value::Str(name)) if !name.is_empty() => Some(name),
        _ => None,
    }
}
