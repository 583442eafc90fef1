//! What a span did itself: its duration without the time in which children ran that it could wait for.

use crate::PathSpan;
use crate::tree::Children;

/// For each span its duration less the union of its children's, clipped to it, ns. Asynchronous children take
/// nothing: the parent goes on with its own work.
pub fn self_times(spans: &[PathSpan]) -> Vec<u64> {
    let children = Children::new(spans);
    let mut intervals = Vec::new();
    let own = |(index, span): (usize, &PathSpan)| {
        intervals.clear();
        let waited_for =
            children.of(index).iter().filter(|child| **child != index && !spans[**child].is_async);
        intervals.extend(waited_for.map(|child| {
            let child = &spans[*child];
            (child.start_ns.max(span.start_ns), child.end_ns().min(span.end_ns()))
        }));
        span.end_ns() - span.start_ns - union_ns(&mut intervals)
    };
    spans.iter().enumerate().map(own).collect()
}

/// How much the intervals cover; empty ones (an end before the start) cover nothing.
fn union_ns(intervals: &mut [(u64, u64)]) -> u64 {
    intervals.sort_unstable();
    let mut covered = 0;
    let mut until = 0;
    for &(start, end) in intervals.iter() {
        covered += end.saturating_sub(start.max(until));
        until = until.max(end);
    }
    covered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_count_once_and_only_inside() {
        let child = |start_ns, end_ns| PathSpan { parent: Some(0), start_ns, end_ns, is_async: false };
        let cases: [(&str, Vec<PathSpan>, u64); 8] = [
            ("none", vec![], 90),
            ("apart", vec![child(20, 30), child(50, 60)], 70),
            ("overlapping", vec![child(20, 40), child(30, 60), child(35, 36)], 50),
            ("the same twice", vec![child(20, 40), child(20, 40)], 70),
            ("sticking out", vec![child(0, 20), child(90, 150)], 70),
            ("outside", vec![child(0, 5), child(200, 300)], 90),
            ("longer than the parent", vec![child(0, 500)], 0),
            ("asynchronous", vec![PathSpan { is_async: true, ..child(20, 30) }], 90),
        ];
        for (name, children, expected) in cases {
            let root = PathSpan { parent: Some(0), start_ns: 10, end_ns: 100, is_async: false };
            let spans = [vec![root], children].concat();
            assert_eq!(self_times(&spans)[0], expected, "{name}");
        }
    }
}
