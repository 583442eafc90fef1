//! A consumer that goes on from a state emits what it would have emitted, byte for byte.

use proptest::prelude::*;
use telemetry::Batch;
use telemetry::otlp::{SpanKind, StatusCode};

use super::{SECOND_NS, ZERO_S};
use crate::testing::Made;
use crate::{Options, Spans};

/// Few services, names and ids, so that all kinds of meetings happen; times around the clock and far off.
fn made(now_s: u64) -> impl Strategy<Value = Made> {
    let ids = (0u8..3, 1u8..8, 0u8..8);
    let name = prop_oneof![Just("GET"), Just("GET /a/17"), Just("work"), Just("")];
    let end_s = prop_oneof![4 => now_s.saturating_sub(20)..now_s + 2, 2 => now_s.saturating_sub(1000)..now_s, 1 => Just(0)];
    let attribute = prop_oneof![
        Just(None),
        Just(Some(("db.system", "x"))),
        Just(Some(("messaging.system", "q"))),
        Just(Some(("zipkin.shared", "true"))),
        Just(Some(("server.address", "b"))),
        Just(Some(("http.route", "/r/{x}"))),
        Just(Some(("peer.service", "a"))),
        Just(Some(("peer.service", "b"))),
    ];
    let times = (end_s, 0u64..3_000_000_000);
    (ids, 0usize..6, 0usize..3, 0u8..4, name, times, attribute).prop_map(
        |((trace, id, parent), kind, status, service, name, (end_s, duration), attribute)| Made {
            service: ["", "a", "b", "c"][usize::from(service)].into(),
            trace_id: [trace + 1; 16],
            span_id: [id; 8],
            parent_id: (parent > 0).then_some([parent; 8]),
            name: name.into(),
            kind: SpanKind::ALL[kind],
            status: StatusCode::ALL[status],
            start_ns: (end_s * SECOND_NS).saturating_sub(duration),
            end_ns: end_s * SECOND_NS,
            attributes: attribute.into_iter().map(|(key, value)| (key, value.into())).collect(),
            arrival_ns: 0,
        },
    )
}

/// Gaps from this on are jumps back.
const BACK: u64 = 1 << 40;

/// Spans in batches, mostly seconds apart, now and then long or back.
fn batches() -> impl Strategy<Value = Vec<Batch>> {
    let gap = prop_oneof![12 => 0u64..4, 4 => 5u64..40, 1 => 500u64..1000, 1 => 3000u64..9000, 1 => BACK..BACK + 1500];
    proptest::collection::vec(gap, 1..40).prop_flat_map(|gaps| {
        let mut now_s = ZERO_S;
        let batch = |gap: u64| {
            now_s = if gap < BACK { now_s + gap } else { now_s - (gap - BACK) };
            let received_at_ns = now_s * SECOND_NS;
            proptest::collection::vec(made(now_s), 0..6)
                .prop_map(move |made| Made::batch(&made, received_at_ns))
        };
        gaps.into_iter().map(batch).collect::<Vec<_>>()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn cuts_do_not_show(batches in batches(), cuts in proptest::collection::vec(any::<bool>(), 40), caps in 0u8..3) {
        let small = Options { max_services: 2, max_operations: 2, max_peers: 1, max_waiting: 5, max_window_bytes: 300, ..Options::default() };
        let tiny = Options { max_services: 3, max_subjects: 4, ..small.clone() };
        let options = [Options::default(), small, tiny][usize::from(caps)].clone();
        let mut whole = Spans::new(0, options.clone());
        let mut cut = Spans::new(0, options.clone());
        for (batch, is_cut) in batches.iter().zip(cuts) {
            prop_assert_eq!(whole.apply(batch), cut.apply(batch));
            if is_cut {
                let state = cut.state();
                prop_assert_eq!(&whole.state(), &state);
                cut = Spans::recover(0, options.clone(), &state).unwrap();
            }
        }
        prop_assert_eq!(whole.state(), cut.state());
    }
}
