//! The critical path of one trace: which span the root was waiting for, at each moment.
//!
//! From the root's end backwards: of the children that ended by then the one that ended last was waited
//! for; what is left between is the span's own. Children are clipped to their parents from the root down;
//! those wholly outside of it fall away with all below them, as do asynchronous ones. A child that still
//! ran when a later one began was beside the path, not on it. So the sections tile the root to the
//! nanosecond. O(n log n); no recursion, whatever the depth.

mod walk;

use std::cmp::Reverse;
use std::collections::BTreeMap;

/// What the analysis needs to know of a span. Spans are named by their index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathSpan {
    /// The span that called; `None` for a root, and where the caller is not there.
    pub parent: Option<usize>,
    /// When it began, ns.
    pub start_ns: u64,
    /// When it ended, ns; one before the start counts as the start.
    pub end_ns: u64,
    /// Whether nobody waits for it: a consumer of messages, or one that only follows from its parent.
    pub is_async: bool,
}

impl PathSpan {
    pub(crate) fn end_ns(&self) -> u64 {
        self.end_ns.max(self.start_ns)
    }
}

/// A stretch of the path: during it the trace waited for this span itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section {
    /// Index of the span.
    pub span: usize,
    /// From, ns.
    pub start_ns: u64,
    /// To, ns; after `start_ns`.
    pub end_ns: u64,
}

impl Section {
    /// How long, ns.
    pub fn duration_ns(&self) -> u64 {
        self.end_ns - self.start_ns
    }
}

/// A span on the path, clipped to those above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Index of the span.
    pub span: usize,
    /// From, ns.
    pub start_ns: u64,
    /// To, ns.
    pub end_ns: u64,
}

/// What a walk over a trace found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    /// By start.
    pub sections: Vec<Section>,
    /// Every span on the path once: a parent before its children, later children first.
    pub visits: Vec<Visit>,
}

/// The critical path under `root`: sections by time that tile `[start, end]` of the root exactly, without
/// gap or overlap. Empty if the root took no time, or is none of the spans.
pub fn critical_path(spans: &[PathSpan], root: usize) -> Vec<Section> {
    walk::path(spans, root, 0.0).sections
}

/// The same where clocks and timers are coarse: of two children the earlier still counts as waited for
/// when it ends after the later one's start by less than `tolerance` (a share of their parent's duration),
/// began and ended before it, and no other child begins or ends meanwhile. CRISP (Uber, USENIX ATC 2022)
/// takes 0.01. With a tolerance above 0 sections of such neighbours may overlap by as much; with 0 this
/// is [`critical_path`].
pub fn path_with_tolerance(spans: &[PathSpan], root: usize, tolerance: f64) -> Path {
    walk::path(spans, root, tolerance)
}

/// For each span (as many as the trace has) its time on the path, ns: its sections' sum.
pub fn path_times(sections: &[Section], spans: usize) -> Vec<u64> {
    let mut times = vec![0; spans];
    for section in sections {
        if let Some(time) = times.get_mut(section.span) {
            *time += section.duration_ns();
        }
    }
    times
}

/// As [`path_times`], by CRISP's account: a span's time less that of its children on the path, at least 0.
/// Differs from the sections' sums only by what a tolerance let overlap: that is taken from the parent.
pub fn exclusive_times(path: &Path, spans: &[PathSpan]) -> Vec<u64> {
    let mut times = vec![0_i128; spans.len()];
    for (index, visit) in path.visits.iter().enumerate() {
        let duration = i128::from(visit.end_ns - visit.start_ns);
        times[visit.span] += duration;
        // The first visit is the root's, whose parent is outside.
        if let Some(parent) = spans[visit.span].parent.filter(|_| index > 0) {
            times[parent] -= duration;
        }
    }
    times.into_iter().map(|time| u64::try_from(time).unwrap_or(0)).collect()
}

/// Time on the path by a key of the span, as its service or operation: the largest first, equal ones by key.
pub fn totals_by_key<K: Ord>(sections: &[Section], key: impl Fn(usize) -> K) -> Vec<(K, u64)> {
    let mut totals = BTreeMap::new();
    for section in sections {
        *totals.entry(key(section.span)).or_insert(0) += section.duration_ns();
    }
    let mut totals: Vec<_> = totals.into_iter().collect();
    totals.sort_by_key(|(_, time)| Reverse(*time));
    totals
}

#[cfg(test)]
mod tests;
