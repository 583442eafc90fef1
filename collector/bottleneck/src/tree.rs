//! The tree that spans' parents make: children lists without recursion, and which spans are roots
//! whatever the parents say (none, unknown, themselves, a cycle).

use std::cmp::Reverse;

use crate::PathSpan;

/// Children of each span, in the order of the spans: `of[from[i]..from[i + 1]]`.
pub(crate) struct Children {
    from: Vec<usize>,
    of: Vec<usize>,
}

impl Children {
    pub(crate) fn new(spans: &[PathSpan]) -> Self {
        let mut from = vec![0_usize; spans.len() + 1];
        for parent in spans.iter().filter_map(|span| known_parent(spans, span)) {
            if let Some(count) = from.get_mut(parent + 1) {
                *count += 1;
            }
        }
        for index in 1..from.len() {
            from[index] += from[index - 1];
        }
        let mut next = from.clone();
        let mut of = vec![0; from.last().copied().unwrap_or_default()];
        for (child, span) in spans.iter().enumerate() {
            if let Some(parent) = known_parent(spans, span) {
                of[next[parent]] = child;
                next[parent] += 1;
            }
        }
        Self { from, of }
    }

    /// The children of a span. A span that is its own parent is among its own.
    pub(crate) fn of(&self, span: usize) -> &[usize] {
        &self.of[self.from[span]..self.from[span + 1]]
    }
}

fn known_parent(spans: &[PathSpan], span: &PathSpan) -> Option<usize> {
    span.parent.filter(|parent| *parent < spans.len())
}

/// Spans from which every other one can be reached, each once: those without a parent that is there, and
/// of each cycle of parents the one that began first. Ordered by start; of equal ones the longest, then
/// the first given.
pub fn roots(spans: &[PathSpan]) -> Vec<usize> {
    let children = Children::new(spans);
    let mut reached = vec![false; spans.len()];
    let mut roots = Vec::new();
    let is_root = |index: usize| known_parent(spans, &spans[index]).is_none_or(|parent| parent == index);
    for root in (0..spans.len()).filter(|index| is_root(*index)) {
        roots.push(root);
        reach(&children, root, &mut reached);
    }
    let mut passed = vec![false; spans.len()];
    for index in 0..spans.len() {
        if !reached[index] {
            let root = first_of_cycle(spans, index, &mut passed);
            roots.push(root);
            reach(&children, root, &mut reached);
        }
    }
    roots.sort_by_key(|root| seniority(spans, *root));
    roots
}

/// The root that the trace is told by: the first of [`roots`]. `None` without spans.
pub fn main_root(spans: &[PathSpan]) -> Option<usize> {
    roots(spans).first().copied()
}

fn seniority(spans: &[PathSpan], index: usize) -> (u64, Reverse<u64>, usize) {
    let span = &spans[index];
    (span.start_ns, Reverse(span.end_ns), index)
}

fn reach(children: &Children, root: usize, reached: &mut [bool]) {
    let mut open = vec![root];
    while let Some(span) = open.pop() {
        if !std::mem::replace(&mut reached[span], true) {
            open.extend_from_slice(children.of(span));
        }
    }
}

/// Up from `index` there is a cycle; which of its spans began first. `passed` is for this search alone; what
/// it marks is reached afterwards, so that all searches together take a step a span.
fn first_of_cycle(spans: &[PathSpan], index: usize, passed: &mut [bool]) -> usize {
    let up = |index: usize| known_parent(spans, &spans[index]).unwrap_or(index);
    let mut on_cycle = index;
    while !std::mem::replace(&mut passed[on_cycle], true) {
        on_cycle = up(on_cycle);
    }
    let mut first = on_cycle;
    let mut at = up(on_cycle);
    while at != on_cycle {
        if seniority(spans, at) < seniority(spans, first) {
            first = at;
        }
        at = up(at);
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(of: &[(Option<usize>, u64, u64)]) -> Vec<PathSpan> {
        let span = |&(parent, start_ns, end_ns)| PathSpan { parent, start_ns, end_ns, is_async: false };
        of.iter().map(span).collect()
    }

    #[test]
    fn every_shape_of_parents_has_roots() {
        let cases = [
            ("nothing", vec![], vec![]),
            ("one", vec![(None, 5, 9)], vec![0]),
            ("its own parent", vec![(Some(0), 5, 9)], vec![0]),
            ("a parent that is not there", vec![(Some(7), 5, 9), (Some(0), 5, 6)], vec![0]),
            (
                "a cycle with a tail",
                vec![(Some(2), 7, 9), (Some(0), 5, 9), (Some(1), 6, 9), (Some(0), 1, 2)],
                vec![1],
            ),
            (
                "by start, then the longest",
                vec![(None, 5, 9), (None, 4, 5), (None, 4, 8), (None, 4, 8)],
                vec![2, 3, 1, 0],
            ),
            ("a tree and a cycle", vec![(Some(1), 3, 4), (Some(0), 2, 4), (None, 9, 9)], vec![1, 2]),
        ];
        for (name, of, expected) in cases {
            let spans = spans(&of);
            assert_eq!(roots(&spans), expected, "{name}");
            assert_eq!(main_root(&spans), expected.first().copied(), "{name}");
        }
    }

    #[test]
    fn many_cycles_are_found_in_one_pass() {
        // 50,000 cycles of two: a walk up of as many steps as spans for each would not end.
        let of: Vec<_> = (0..100_000).map(|index: usize| (Some(index ^ 1), index as u64, 200_000)).collect();
        assert_eq!(roots(&spans(&of)).len(), 50_000);
    }
}
