//! What is told of a trace in a list: from all its spans, in head and splits.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use search::{Expr, Row};
use telemetry::otlp::StatusCode;

use super::find::{Part, Source, leave_out, parts};
use super::select::select;
use super::split::Block;
use super::view::{Columns, HeadView, SUMMARY, SpanView, service_name};
use super::{ServiceCount, Snapshot, SpanSummary, TraceId, TraceSummary};
use crate::SearchError;
use crate::execute::scan::{Limits, Range};
use crate::partition::Pinned;
use crate::split::ReadError;

/// How many matching spans are named.
const MATCHED: usize = 3;

/// Which spans match.
pub(super) struct Wanted<'q> {
    pub(super) filter: &'q Expr,
    pub(super) range: Range,
}

impl Wanted<'_> {
    fn contains(&self, time_ns: i64) -> bool {
        self.range.overlaps(time_ns, time_ns)
    }
}

/// Blocks that were read for the traces before: those of one page are close together.
#[derive(Default)]
pub(super) struct Blocks(HashMap<(u64, u32), Arc<Columns>>);

impl Blocks {
    /// So many stay open.
    const MOST: usize = 16;

    fn columns(&mut self, split: &Pinned, block: &Block) -> Result<Arc<Columns>, ReadError> {
        let key = (split.file.id, block.meta().first_row);
        if let Some(known) = self.0.get(&key) {
            return Ok(known.clone());
        }
        if self.0.len() >= Self::MOST {
            self.0.clear();
        }
        let columns = Arc::new(Columns::read(block, &SUMMARY)?);
        self.0.insert(key, columns.clone());
        Ok(columns)
    }
}

/// Tells of a trace. Blocks.
pub(super) fn summarise(
    snapshots: &[Snapshot],
    id: TraceId,
    wanted: &Wanted<'_>,
    (limits, blocks): (&Limits, &mut Blocks),
    warnings: &mut Vec<String>,
) -> Result<TraceSummary, SearchError> {
    let parts = parts(snapshots, &id, limits, warnings)?;
    let mut opened = Vec::new();
    for part in &parts {
        limits.check()?;
        match Opened::of(part, wanted, blocks) {
            Ok(open) => opened.push(open),
            Err(error) => {
                if let Source::Block { split, .. } = &part.source {
                    leave_out(split, &error, warnings);
                }
            }
        }
    }
    let mut telling = Telling::default();
    opened.iter().for_each(|part| part.each(&mut |view, is_wanted| telling.add(view, is_wanted)));
    let root = match telling.root.take() {
        Some(root) => Some(root),
        None => first_orphan(&opened),
    };
    Ok(telling.finish(id, root))
}

/// A part of which what is told of spans was read.
enum Opened<'p> {
    Head { part: &'p Part, wanted: Vec<bool> },
    Block { rows: &'p [u32], columns: Arc<Columns>, wanted: Vec<u32> },
}

impl<'p> Opened<'p> {
    fn of(part: &'p Part, wanted: &Wanted<'_>, blocks: &mut Blocks) -> Result<Self, ReadError> {
        match &part.source {
            Source::Head(chunk) => {
                let matches = |row: &u32| {
                    let view = HeadView::new(chunk, *row as usize);
                    wanted.contains(view.time_ns()) && wanted.filter.matches(&view)
                };
                Ok(Self::Head { part, wanted: part.rows.iter().map(matches).collect() })
            }
            Source::Block { split, block } => {
                let columns = blocks.columns(split, block)?;
                let in_range = |row: &u32| wanted.contains(columns.times[*row as usize]);
                let rows = part.rows.iter().copied().filter(in_range).collect();
                let wanted = select(wanted.filter, block, rows)?;
                Ok(Self::Block { rows: &part.rows, columns, wanted })
            }
        }
    }

    /// Shows each span, and whether it matches.
    fn each(&self, show: &mut dyn FnMut(&dyn SpanView, bool)) {
        match self {
            Self::Head { part, wanted } => {
                let Source::Head(chunk) = &part.source else { return };
                for (row, is_wanted) in part.rows.iter().zip(wanted) {
                    show(&HeadView::new(chunk, *row as usize), *is_wanted);
                }
            }
            Self::Block { rows, columns, wanted } => {
                let mut wanted = wanted.iter().peekable();
                for (row, view) in rows.iter().zip(columns.views(rows)) {
                    show(&view, wanted.next_if(|next| *next == row).is_some());
                }
            }
        }
    }
}

/// What was seen of a trace so far.
#[derive(Default)]
struct Telling {
    start_ns: Option<i64>,
    end_ns: i64,
    spans: u32,
    errors: u32,
    services: HashMap<String, (u32, u32)>,
    root: Option<SpanSummary>,
    matched: Vec<SpanSummary>,
    matched_spans: u32,
}

impl Telling {
    fn add(&mut self, view: &dyn SpanView, is_wanted: bool) {
        let (time_ns, duration_ns) = (view.time_ns(), view.duration_ns());
        let end_ns = time_ns.saturating_add_unsigned(duration_ns);
        self.end_ns = if self.start_ns.is_none() { end_ns } else { self.end_ns.max(end_ns) };
        self.start_ns = Some(self.start_ns.map_or(time_ns, |start| start.min(time_ns)));
        self.spans += 1;
        let errors = u32::from(view.status() == StatusCode::Error);
        self.errors += errors;
        match self.services.get_mut(view.service()) {
            Some(count) => *count = (count.0 + 1, count.1 + errors),
            None => {
                self.services.insert(view.service().to_owned(), (1, errors));
            }
        }
        if view.parent_id().is_none() && comes_before(view, self.root.as_ref()) {
            self.root = Some(view.summary());
        }
        if is_wanted {
            self.matched_spans += 1;
            self.match_of(view);
        }
    }

    fn match_of(&mut self, view: &dyn SpanView) {
        let key = |duration_ns, start_ns, span_id| (std::cmp::Reverse(duration_ns), start_ns, span_id);
        let own = key(view.duration_ns(), view.time_ns(), view.span_id().unwrap_or_default());
        let place = self
            .matched
            .partition_point(|known| key(known.duration_ns, known.start_ns, known.span_id) <= own);
        if place < MATCHED {
            self.matched.insert(place, view.summary());
            self.matched.truncate(MATCHED);
        }
    }

    fn finish(self, trace_id: TraceId, root: Option<SpanSummary>) -> TraceSummary {
        let services = self.services.into_iter().map(|(service, (spans, errors))| ServiceCount {
            service: service_name(&service).to_owned(),
            spans,
            errors,
        });
        let mut services: Vec<ServiceCount> = services.collect();
        services.sort_by(|a, b| b.spans.cmp(&a.spans).then_with(|| a.service.cmp(&b.service)));
        let start_ns = self.start_ns.unwrap_or_default();
        let duration_ns = u64::try_from(i128::from(self.end_ns) - i128::from(start_ns)).unwrap_or(0);
        TraceSummary {
            trace_id,
            start_ns,
            duration_ns,
            root,
            spans: self.spans,
            errors: self.errors,
            services,
            matched: self.matched,
            matched_spans: self.matched_spans,
        }
    }
}

/// Whether a span is before another one by start, then by id.
fn comes_before(view: &dyn SpanView, known: Option<&SpanSummary>) -> bool {
    let own = (view.time_ns(), view.span_id().unwrap_or_default());
    known.is_none_or(|known| own < (known.start_ns, known.span_id))
}

/// The first span whose parent is not there.
fn first_orphan(opened: &[Opened<'_>]) -> Option<SpanSummary> {
    let mut ids = HashSet::new();
    opened.iter().for_each(|part| part.each(&mut |view, _| ids.extend(view.span_id())));
    let mut first = None;
    let mut show = |view: &dyn SpanView, _| {
        let is_orphan = view.parent_id().is_none_or(|parent| !ids.contains(&parent));
        if is_orphan && comes_before(view, first.as_ref()) {
            first = Some(view.summary());
        }
    };
    opened.iter().for_each(|part| part.each(&mut show));
    first
}
