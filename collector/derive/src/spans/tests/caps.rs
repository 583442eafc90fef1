//! What is over a cap, and input that is none.

use proptest::prelude::*;
use telemetry::otlp::SpanKind;
use telemetry::{Batch, Signal, TenantId};

use super::{Run, SECOND_NS, ZERO_S, span, with};
use crate::testing::Made;
use crate::{Options, Spans};

fn small() -> Options {
    Options {
        max_tenants: 2,
        max_services: 3,
        max_operations: 2,
        max_peers: 2,
        max_name_bytes: 12,
        ..Options::default()
    }
}

#[test]
fn what_is_over_a_cap_is_other() {
    let mut run = Run::new(small());
    let mut made = Vec::new();
    for number in 0..5u8 {
        made.push(span(&format!("service-{number}"), SpanKind::Server, 100 + number, 0, (0, 1)));
        made.push(Made {
            name: format!("operation-{number}-{}", "x".repeat(50)).into(),
            ..span("service-0", SpanKind::Internal, 110 + number, 0, (0, 1))
        });
        let peer = format!("db{number}");
        made.push(with(
            span("service-1", SpanKind::Client, 120 + number, 0, (0, 1)),
            &[("db.system", "x"), ("peer.service", &peer)],
        ));
    }
    run.at(1, &made);
    run.until(1, 10);
    let calls = run.samples(&["narrows_red_calls"]);
    let of = |part: &str| calls.iter().filter(|line| line.contains(part)).cloned().collect::<Vec<_>>();
    assert_eq!(of("service=__other__"), ["kind=server,operation=work,service=__other__,status=unset 10:2"]);
    assert_eq!(
        of("service=service-0"),
        [
            "kind=internal,operation=__other__,service=service-0,status=unset 10:4",
            "kind=internal,operation=operation-0-,service=service-0,status=unset 10:1",
            "kind=server,operation=work,service=service-0,status=unset 10:1",
        ]
    );
    assert_eq!(
        run.edges(),
        [
            "client=service-1,server=__other__,status=ok,type=database 10:3",
            "client=service-1,server=db0,status=ok,type=database 10:1",
            "client=service-1,server=db1,status=ok,type=database 10:1",
        ]
    );
}

#[test]
fn all_subjects_together_have_a_cap() {
    let options = Options { max_subjects: 3, ..Options::default() };
    let mut run = Run::new(options);
    for second in 1..40u8 {
        let name = format!("operation{second}");
        run.at(
            u64::from(second),
            &[Made { name: name.into(), ..span(&format!("s{second}"), SpanKind::Client, second, 0, (0, 1)) }],
        );
    }
    run.until(40, 120);
    let calls = run.samples(&["narrows_red_calls"]);
    let all: u64 = calls.iter().map(|line| line.rsplit_once(':').unwrap().1.parse::<u64>().unwrap()).sum();
    assert_eq!(all, 39);
    assert!(calls.len() <= 3 && calls[0].contains("operation=__other__,service=__other__"), "{calls:?}");
    let edges = run.edges();
    assert!(edges.iter().any(|line| line.starts_with("client=__other__,server=__other__")), "{edges:?}");
}

#[test]
fn who_has_no_room_to_wait_is_counted() {
    let mut run = Run::new(Options { max_waiting: 2, ..Options::default() });
    let clients: Vec<Made> = (1..6).map(|id| span("a", SpanKind::Client, id, 0, (0, 1))).collect();
    run.at(1, &clients);
    run.at(2, &[span("b", SpanKind::Server, 50, 49, (0, 1))]);
    run.until(2, 60);
    let unpaired = run.samples(&["narrows_spans_unpaired_total"]);
    assert!(unpaired[0].starts_with("reason=overflow,service=a 10:3"), "{unpaired:?}");
    assert!(unpaired[1].starts_with("reason=overflow,service=b 10:1"), "{unpaired:?}");
    assert_eq!(run.spans.edges.pairing.len(), 2);
    assert_eq!(run.edges(), ["client=a,server=unknown,status=ok,type=external 10:5"], "no call is lost");
}

#[test]
fn callees_leave_room_for_callers() {
    let mut run = Run::new(Options { max_waiting: 8, ..Options::default() });
    let callees: Vec<Made> =
        (1..20).map(|id| span("b", SpanKind::Server, 100 + id, 50 + id, (0, 1))).collect();
    run.at(1, &callees);
    assert_eq!(run.spans.edges.pairing.len(), 7);
    run.at(2, &[span("a", SpanKind::Client, 1, 0, (0, 1)), span("b", SpanKind::Server, 2, 1, (0, 1))]);
    run.until(2, 60);
    assert_eq!(run.edges(), ["client=a,server=b,status=ok,type=service 10:1"]);
}

#[test]
fn steps_are_given_up_before_memory_is() {
    let mut run = Run::new(Options { max_window_bytes: 60, ..Options::default() });
    for second in (5..600).step_by(10) {
        run.at(second, &[span("a", SpanKind::Server, second as u8, 0, (second * 1000 - 700, second * 1000))]);
    }
    let old = span("a", SpanKind::Server, 1, 0, (0, 5000));
    run.at(601, &[old]);
    run.at(610, &[]);
    assert!(run.spans.window.size_bytes() <= 60);
    let late = run.samples(&["narrows_spans_late_total"]);
    assert_eq!(late, ["service=a 610:1"]);
}

#[test]
fn a_tenant_too_many_is_counted() {
    let mut spans = Spans::new(3, small());
    let mut emissions = Vec::new();
    for (second, tenant) in [(1, "one"), (2, "two"), (3, "three"), (10, "one")] {
        let made = [span("a", SpanKind::Server, 1, 0, (0, 1)), span("a", SpanKind::Server, 2, 0, (0, 1))];
        let batch = Made::batch(&made, (ZERO_S + second) * SECOND_NS);
        emissions.extend(spans.apply(&Batch { tenant: TenantId::new(tenant).unwrap(), ..batch }));
    }
    let tenants: Vec<&str> = emissions.iter().map(|emission| emission.tenant.as_str()).collect();
    assert_eq!(tenants, ["default", "one"]);
    let mut store = crate::testing::Store::default();
    store.append(&emissions[..1]);
    let left = "__name__=\"narrows_spans_underived_total\",reason=\"tenants\",service=\"__other__\"";
    assert_eq!(store.newest(left), Some(4.0));
}

#[test]
fn a_tenant_that_was_not_seen_for_an_hour_makes_room() {
    let mut spans = Spans::new(0, small());
    for (at, name) in [(1, "one"), (2, "two"), (3, "three")].map(|(at, name)| (at * 6000, name)) {
        let batch = Made::batch(&[span("a", SpanKind::Server, 1, 0, (0, 0))], (ZERO_S + at) * SECOND_NS);
        spans.apply(&Batch { tenant: TenantId::new(name).unwrap(), ..batch });
        assert!(spans.registry.tenant(2).is_none());
        assert_eq!(spans.registry.tenant(1).unwrap().id.as_str(), name);
        (1..=450).for_each(|tick| {
            spans.apply(&Made::batch(&[], (ZERO_S + at + tick * 10) * SECOND_NS));
        });
        let state = spans.state();
        spans = Spans::recover(0, small(), &state).unwrap();
        assert_eq!(spans.state(), state);
    }
}

#[test]
fn services_of_all_tenants_together_have_a_cap() {
    let options = Options { max_subjects: 5, ..Options::default() };
    let mut registry = crate::registry::Registry::default();
    for at in 0..20 {
        let tenant = registry.tenant_number(&TenantId::new(["t0", "t1"][at % 2]).unwrap(), &options).unwrap();
        let number = registry.service_number(tenant, &format!("s{at}"), 1, &options);
        let is_other = &*registry.service(number).unwrap().name == "__other__";
        assert_eq!(is_other, at >= 5, "{at}");
    }
}

#[test]
fn what_was_not_seen_for_an_hour_makes_room() {
    let mut run = Run::new(Options { max_operations: 1, ..Options::default() });
    let named = |name: &str, id: u8, second: u64| Made {
        name: name.into(),
        ..span("a", SpanKind::Server, id, 0, (second * 1000, second * 1000))
    };
    run.at(1, &[named("first", 1, 1), named("second", 2, 1)]);
    for tick in 1..=800 {
        let second = tick * 10;
        run.at(second, &[named("second", 3, second)]);
    }
    let calls = run.samples(&["narrows_red_calls"]);
    let names: Vec<&str> = calls.iter().map(|line| &line[12..line.find(",service").unwrap()]).collect();
    assert_eq!(names, ["operation=__other__", "operation=first", "operation=second"]);
}

proptest! {
    #[test]
    fn no_payload_and_no_state_is_too_odd(payload: Vec<u8>, received_at_ns: i64, cut in 0usize..200, flip: u8) {
        let batch = Batch {
            tenant: TenantId::default_tenant(),
            signal: Signal::Spans,
            producer: None,
            received_at_ns,
            payload: payload.clone().into(),
        };
        let mut spans = Spans::new(0, Options::default());
        spans.apply(&batch);
        spans.apply(&Batch { received_at_ns: i64::MAX, ..batch.clone() });
        spans.apply(&batch);
        let state = spans.state();
        prop_assert!(Spans::recover(0, Options::default(), &state).is_ok());
        prop_assert!(Spans::recover(1, Options::default(), &state).is_err());
        prop_assert!(Spans::recover(0, Options::default(), &payload).is_err());
        let mut damaged = state.clone();
        let at = cut % damaged.len();
        damaged[at] ^= flip;
        if let Ok(mut damaged) = Spans::recover(0, Options::default(), &damaged) {
            damaged.apply(&batch);
        }
        prop_assert!(Spans::recover(0, Options::default(), &state[..at]).is_err());
    }
}
