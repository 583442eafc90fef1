//! The walk: clip from the root down, then backwards from its end.

use std::cmp::Reverse;

use super::{Path, PathSpan, Section, Visit};
use crate::tree::Children;

/// Where a span is once clipped to all above it.
#[derive(Clone, Copy)]
struct Clipped {
    span: usize,
    start_ns: u64,
    end_ns: u64,
}

/// The spans below a root, clipped. `Children`'s shape, with only those that the parent may wait for.
struct Tree {
    all: Vec<Clipped>,
    /// For each of `all` the range in `all` that its children take.
    children: Vec<(usize, usize)>,
}

impl Tree {
    /// Level by level. A span is met once: it has one parent, and the root is never met again.
    fn new(spans: &[PathSpan], root: usize) -> Self {
        let below = Children::new(spans);
        let (start_ns, end_ns) = (spans[root].start_ns, spans[root].end_ns());
        let mut tree = Self { all: vec![Clipped { span: root, start_ns, end_ns }], children: Vec::new() };
        let mut next = 0;
        while let Some(&parent) = tree.all.get(next) {
            let from = tree.all.len();
            let waited_for = below.of(parent.span).iter().filter(|child| **child != root);
            tree.all.extend(waited_for.filter_map(|child| clip(spans, *child, parent)));
            // The last to end first; of equal ones the last to begin: what takes no time comes before
            // what ends with it.
            tree.all[from..]
                .sort_unstable_by_key(|child| (Reverse(child.end_ns), Reverse(child.start_ns), child.span));
            tree.children.push((from, tree.all.len()));
            next += 1;
        }
        tree
    }

    fn children(&self, at: usize) -> &[Clipped] {
        let (from, to) = self.children[at];
        &self.all[from..to]
    }
}

fn clip(spans: &[PathSpan], child: usize, parent: Clipped) -> Option<Clipped> {
    let span = &spans[child];
    let is_outside = span.end_ns() < parent.start_ns || span.start_ns > parent.end_ns;
    if span.is_async || is_outside {
        return None;
    }
    let start_ns = span.start_ns.max(parent.start_ns);
    Some(Clipped { span: child, start_ns, end_ns: span.end_ns().min(parent.end_ns) })
}

/// A span whose children are being gone through.
struct Frame {
    /// Its place in the tree.
    at: usize,
    /// The next child to look at.
    next: usize,
    /// From here on is settled.
    settled_ns: u64,
    /// The child that was waited for last, its place among the children.
    later: Option<usize>,
    /// When the children began, sorted; only where a tolerance asks.
    starts: Vec<u64>,
}

pub(super) fn path(spans: &[PathSpan], root: usize, tolerance: f64) -> Path {
    if root >= spans.len() {
        return Path::default();
    }
    let tree = Tree::new(spans, root);
    let mut walk = Walk { tree: &tree, tolerance, path: Path::default(), open: Vec::new() };
    walk.enter(0);
    while let Some(mut frame) = walk.open.pop() {
        match walk.waited_for(&mut frame) {
            Some(child) => {
                walk.open.push(frame);
                walk.enter(child);
            }
            None => walk.emit(frame.at, walk.tree.all[frame.at].start_ns, frame.settled_ns),
        }
    }
    let mut path = walk.path;
    path.sections.reverse();
    path
}

struct Walk<'a> {
    tree: &'a Tree,
    tolerance: f64,
    /// Sections from the last to the first.
    path: Path,
    open: Vec<Frame>,
}

impl Walk<'_> {
    fn enter(&mut self, at: usize) {
        let Clipped { span, start_ns, end_ns } = self.tree.all[at];
        self.path.visits.push(Visit { span, start_ns, end_ns });
        let mut starts = Vec::new();
        if self.tolerance > 0.0 {
            starts.extend(self.tree.children(at).iter().map(|child| child.start_ns));
            starts.sort_unstable();
        }
        self.open.push(Frame { at, next: 0, settled_ns: end_ns, later: None, starts });
    }

    /// The next child backwards that was waited for, by its place in the tree; what lies between it and what
    /// is settled becomes the parent's own.
    fn waited_for(&mut self, frame: &mut Frame) -> Option<usize> {
        let children = self.tree.children(frame.at);
        let first = self.tree.children[frame.at].0;
        while let Some(child) = children.get(frame.next) {
            let place = frame.next;
            frame.next += 1;
            if child.end_ns > frame.settled_ns && !self.is_tolerated(frame, children, place) {
                continue;
            }
            self.emit(frame.at, child.end_ns, frame.settled_ns);
            frame.settled_ns = child.start_ns;
            frame.later = Some(place);
            return Some(first + place);
        }
        None
    }

    fn emit(&mut self, at: usize, start_ns: u64, end_ns: u64) {
        if start_ns >= end_ns {
            return;
        }
        let span = self.tree.all[at].span;
        match self.path.sections.last_mut() {
            // A child that took no time lay between.
            Some(last) if last.span == span && last.start_ns == end_ns => last.start_ns = start_ns,
            _ => self.path.sections.push(Section { span, start_ns, end_ns }),
        }
    }

    fn is_tolerated(&self, frame: &Frame, children: &[Clipped], place: usize) -> bool {
        let Some(later_place) = frame.later.filter(|_| self.tolerance > 0.0) else { return false };
        let (earlier, later, parent) = (children[place], children[later_place], self.tree.all[frame.at]);
        let overlap = earlier.end_ns.saturating_sub(later.start_ns) as f64;
        let is_small = overlap < self.tolerance * (parent.end_ns - parent.start_ns) as f64;
        is_small
            && earlier.end_ns < later.end_ns
            && earlier.start_ns < later.start_ns
            && is_quiet(children, &frame.starts, later.start_ns, earlier.end_ns)
    }
}

/// Whether of all children only these two begin or end while both run: one end and one start.
fn is_quiet(children: &[Clipped], starts: &[u64], from_ns: u64, to_ns: u64) -> bool {
    // Children are by end, the last first.
    let ends = children.partition_point(|child| child.end_ns >= from_ns)
        - children.partition_point(|child| child.end_ns > to_ns);
    let starts =
        starts.partition_point(|start| *start <= to_ns) - starts.partition_point(|start| *start < from_ns);
    ends == 1 && starts == 1
}
