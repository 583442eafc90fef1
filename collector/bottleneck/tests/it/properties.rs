//! What holds of every trace, however odd: sections tile the root, and are what a plain walk finds.

use narrows_bottleneck::{
    PathSpan, Section, adjust_skew, critical_path, exclusive_times, path_times, path_with_tolerance, roots,
    self_times,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// A trace of up to 40 spans: parents before and after, absent, themselves and in cycles; short times, so that
/// ends meet; spans that end before they start.
fn trace() -> impl Strategy<Value = Vec<PathSpan>> {
    let parent = prop_oneof![1 => Just(None), 8 => (0_usize..45).prop_map(Some)];
    let span = (parent, 0_u64..60, 0_u64..40, prop::bool::weighted(0.15), prop::bool::weighted(0.05));
    let span = span.prop_map(|(parent, start_ns, length, is_async, is_reversed)| {
        let end_ns = if is_reversed { start_ns.saturating_sub(length) } else { start_ns + length };
        PathSpan { parent, start_ns, end_ns, is_async }
    });
    vec(span, 0..40)
}

/// A trace as programs make them, then disturbed: children within their parents, some moved by their host's clock.
fn skewed() -> impl Strategy<Value = Vec<PathSpan>> {
    let step = (any::<prop::sample::Index>(), 0.0..1.0_f64, 0.0..1.0_f64, -20_i64..20, 0_u8..8);
    vec(step, 0..40).prop_map(|steps| {
        let mut spans = vec![PathSpan { parent: None, start_ns: 1_000, end_ns: 2_000, is_async: false }];
        for (parent, from, length, skew, what) in steps {
            let parent = parent.index(spans.len());
            let up = spans[parent];
            let duration = (up.end_ns - up.start_ns) as f64;
            let start_ns = (up.start_ns + (from * duration) as u64).saturating_add_signed(if what < 3 {
                skew
            } else {
                0
            });
            let end_ns = start_ns + (length * (1.0 - from) * duration) as u64;
            spans.push(PathSpan { parent: Some(parent), start_ns, end_ns, is_async: what == 7 });
        }
        spans
    })
}

/// The rule as it is told, by recursion and without a thought for time.
fn naive(spans: &[PathSpan], span: usize, root: usize, (start, end): (u64, u64), out: &mut Vec<Section>) {
    let mut children: Vec<(u64, u64, usize)> = Vec::new();
    for (index, child) in spans.iter().enumerate() {
        let child_end = child.end_ns.max(child.start_ns);
        let is_child = child.parent == Some(span) && index != root && !child.is_async;
        if is_child && child_end >= start && child.start_ns <= end {
            children.push((child_end.min(end), child.start_ns.max(start), index));
        }
    }
    let mut until = end;
    while !children.is_empty() {
        let fits = |child: &&(u64, u64, usize)| child.0 <= until;
        let last = children.iter().filter(fits).max_by_key(|child| (child.0, child.1, usize::MAX - child.2));
        let Some(&(child_end, child_start, index)) = last else { break };
        children.retain(|child| child.2 != index);
        if child_end < until {
            out.push(Section { span, start_ns: child_end, end_ns: until });
        }
        naive(spans, index, root, (child_start, child_end), out);
        until = child_start;
    }
    if start < until {
        out.push(Section { span, start_ns: start, end_ns: until });
    }
}

fn merged(sections: impl Iterator<Item = Section>) -> Vec<Section> {
    let mut merged: Vec<Section> = Vec::new();
    for section in sections {
        match merged.last_mut() {
            Some(last) if last.span == section.span && last.end_ns == section.start_ns => {
                last.end_ns = section.end_ns;
            }
            _ => merged.push(section),
        }
    }
    merged
}

fn check(spans: &[PathSpan]) -> Result<(), TestCaseError> {
    let mut seen = vec![false; spans.len()];
    for root in roots(spans) {
        prop_assert!(!std::mem::replace(&mut seen[root], true), "a root once");
        let sections = critical_path(spans, root);
        let mut at = spans[root].start_ns;
        for section in &sections {
            prop_assert_eq!(section.start_ns, at, "no gap and no overlap");
            prop_assert!(section.end_ns > section.start_ns);
            let span = spans[section.span];
            prop_assert!(
                section.start_ns >= span.start_ns && section.end_ns <= span.end_ns.max(span.start_ns)
            );
            at = section.end_ns;
        }
        prop_assert_eq!(at, spans[root].end_ns.max(spans[root].start_ns));
        let mut expected = Vec::new();
        naive(spans, root, root, (spans[root].start_ns, at), &mut expected);
        prop_assert_eq!(&sections, &merged(expected.into_iter().rev()));
        let path = path_with_tolerance(spans, root, 0.0);
        prop_assert_eq!(exclusive_times(&path, spans), path_times(&sections, spans.len()));
    }
    prop_assert_eq!(spans.is_empty(), seen.iter().all(|seen| !seen));
    Ok(())
}

proptest! {
    #[test]
    fn sections_tile_the_root(spans in trace()) {
        check(&spans)?;
    }

    #[test]
    fn sections_tile_the_root_of_a_skewed_trace(spans in skewed()) {
        check(&spans)?;
    }

    #[test]
    fn self_time_is_what_no_child_covers(spans in trace()) {
        let times = self_times(&spans);
        for (index, span) in spans.iter().enumerate() {
            let runs_at = |span: &PathSpan, at: u64| span.start_ns <= at && at < span.end_ns;
            let is_covered = |at: u64| {
                spans.iter().enumerate().any(|(child, other)| {
                    other.parent == Some(index) && child != index && !other.is_async && runs_at(other, at)
                })
            };
            let own = (span.start_ns..span.end_ns.max(span.start_ns)).filter(|at| !is_covered(*at)).count();
            prop_assert_eq!(times[index], own as u64);
        }
    }

    #[test]
    fn an_adjusted_trace_keeps_lengths_and_fits(spans in skewed(), clocks in vec(0_u32..3, 41)) {
        let clocks: Vec<_> = clocks.into_iter().map(Some).collect();
        let adjusted = adjust_skew(&spans, &clocks, |_| true);
        for (index, (before, after)) in spans.iter().zip(&adjusted.spans).enumerate() {
            prop_assert_eq!(before.end_ns - before.start_ns, after.end_ns - after.start_ns);
            prop_assert_eq!(before.start_ns.saturating_add_signed(adjusted.offsets_ns[index]), after.start_ns);
            let Some(parent) = before.parent.filter(|parent| clocks[*parent] != clocks[index]) else { continue };
            let client = adjusted.spans[parent];
            let is_shorter = after.end_ns - after.start_ns <= client.end_ns - client.start_ns;
            prop_assert!(!is_shorter || after.start_ns >= client.start_ns && after.end_ns <= client.end_ns);
        }
        check(&adjusted.spans)?;
    }
}
