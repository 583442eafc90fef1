//! Hosts' clocks differ. A server span that sticks out of the client span that called it is moved, with all
//! that ran by its clock, into the client's middle: both ways of the network are taken to be equally long.

use crate::PathSpan;
use crate::tree::{Children, roots};

/// A trace by one clock, that of its roots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjusted {
    /// As given, at their adjusted times.
    pub spans: Vec<PathSpan>,
    /// By how much each was moved, ns; positive is later.
    pub offsets_ns: Vec<i64>,
    /// The largest move between a client and its server, either way, ns: how far the clocks can be trusted.
    pub max_skew_ns: u64,
}

/// Adjusts a trace. `clocks` says by which clock (as a host's number) each span was timed, `None` where that
/// is unknown; `is_call` whether a span is the server's half of a call whose client's half is its parent.
///
/// A span by its parent's clock, or by an unknown one, moves as its parent does. One by another clock that is no
/// server of its parent stays: nothing tells where it belongs. A server longer than its client is begun
/// with it, if it began before; otherwise the client did not wait for its end, and that is no skew.
pub fn adjust_skew(spans: &[PathSpan], clocks: &[Option<u32>], is_call: impl Fn(usize) -> bool) -> Adjusted {
    let children = Children::new(spans);
    let mut adjusted = Adjusted { spans: spans.to_vec(), offsets_ns: vec![0; spans.len()], max_skew_ns: 0 };
    let clock = |span: usize| clocks.get(span).copied().flatten();
    let mut met = vec![false; spans.len()];
    let mut open = roots(spans);
    while let Some(parent) = open.pop() {
        if std::mem::replace(&mut met[parent], true) {
            continue;
        }
        for &child in children.of(parent).iter().filter(|child| !met[**child]) {
            let is_same = match (clock(parent), clock(child)) {
                (Some(parent), Some(child)) => parent == child,
                _ => true,
            };
            let offset_ns = if is_same {
                adjusted.offsets_ns[parent]
            } else if is_call(child) {
                let skew_ns = skew_ns(&adjusted.spans[parent], &spans[child]);
                adjusted.max_skew_ns = adjusted.max_skew_ns.max(skew_ns.unsigned_abs());
                skew_ns
            } else {
                0
            };
            adjusted.spans[child] = moved(&spans[child], offset_ns);
            adjusted.offsets_ns[child] = offset_ns;
            open.push(child);
        }
    }
    adjusted
}

/// By how much the server is to be moved.
fn skew_ns(client: &PathSpan, server: &PathSpan) -> i64 {
    let fits = server.start_ns >= client.start_ns && server.end_ns() <= client.end_ns();
    if fits {
        return 0;
    }
    let client_ns = client.end_ns() - client.start_ns;
    let server_ns = server.end_ns() - server.start_ns;
    match client_ns.checked_sub(server_ns) {
        Some(network_ns) => distance(server.start_ns, client.start_ns + network_ns / 2),
        None if server.start_ns < client.start_ns => distance(server.start_ns, client.start_ns),
        None => 0,
    }
}

fn distance(from_ns: u64, to_ns: u64) -> i64 {
    i64::try_from(i128::from(to_ns) - i128::from(from_ns)).unwrap_or(if to_ns > from_ns {
        i64::MAX
    } else {
        i64::MIN
    })
}

/// Moved; its length stays, except at the ends of time.
fn moved(span: &PathSpan, offset_ns: i64) -> PathSpan {
    let start_ns = span.start_ns.saturating_add_signed(offset_ns);
    let end_ns = start_ns.saturating_add(span.end_ns() - span.start_ns);
    PathSpan { start_ns, end_ns, ..*span }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(parent: Option<usize>, start_ns: u64, end_ns: u64) -> PathSpan {
        PathSpan { parent, start_ns, end_ns, is_async: false }
    }

    #[test]
    fn a_server_comes_into_the_middle_of_its_client() {
        let cases = [
            ("inside", (1020, 1030), 0),
            ("exactly it", (1000, 1100), 0),
            ("late", (1080, 1120), -50),
            ("early", (900, 940), 130),
            ("far away", (9000, 9040), -7970),
            ("longer, begun before", (900, 1200), 100),
            ("longer, begun after: a client that gave up", (1010, 1200), 0),
            ("of no length", (500, 500), 550),
        ];
        for (name, (start_ns, end_ns), offset_ns) in cases {
            let spans = [span(None, 1000, 1100), span(Some(0), start_ns, end_ns)];
            let adjusted = adjust_skew(&spans, &[Some(1), Some(2)], |child| child == 1);
            assert_eq!(adjusted.offsets_ns, [0, offset_ns], "{name}");
            assert_eq!(adjusted.max_skew_ns, offset_ns.unsigned_abs(), "{name}");
            let moved = adjusted.spans[1];
            assert_eq!(moved.end_ns - moved.start_ns, end_ns - start_ns, "{name}");
        }
    }

    #[test]
    fn what_is_below_moves_along_until_the_next_clock() {
        // client 1 → server 2 (900 late) → its work → client 2 → server 1 (by the first clock, fits)
        let spans = [
            span(None, 1000, 1100),
            span(Some(0), 1910, 1990),
            span(Some(1), 1920, 1930),
            span(Some(1), 1940, 1980),
            span(Some(3), 1045, 1065),
            span(Some(1), 1950, 1960),
        ];
        let clocks = [Some(1), Some(2), None, Some(2), Some(1), Some(3)];
        let adjusted = adjust_skew(&spans, &clocks, |child| matches!(child, 1 | 4));
        assert_eq!(adjusted.offsets_ns, [0, -900, -900, -900, 0, 0]);
        assert_eq!(adjusted.max_skew_ns, 900);
        assert_eq!(adjusted.spans[3], span(Some(1), 1040, 1080));
    }

    #[test]
    fn unknown_clocks_and_odd_trees_move_nothing() {
        let spans = [span(None, 1000, 1100), span(Some(0), 5, 9), span(Some(3), 1, 2), span(Some(2), 7, 8)];
        let adjusted = adjust_skew(&spans, &[], |_| true);
        assert_eq!(adjusted.spans, spans);
        let ends = [span(None, u64::MAX - 5, u64::MAX), span(Some(0), 0, 1)];
        let adjusted = adjust_skew(&ends, &[Some(1), Some(2)], |_| true);
        assert_eq!(adjusted.offsets_ns[1], i64::MAX, "as far as it goes");
    }
}
