//! A clock that was wrong.

use telemetry::otlp::SpanKind::{Client, Server};

use super::{Run, span};
use crate::Options;

const DAYS_S: u64 = 30 * 86_400;

#[test]
fn one_moment_of_a_wrong_clock_stops_nothing() {
    let at = |id: u8, second: u64| span("a", Server, id, 0, (second * 1000 - 500, second * 1000));
    let mut run = Run::new(Options::default());
    run.at(5, &[at(1, 5)]);
    run.at(DAYS_S, &[at(2, DAYS_S), span("a", Client, 3, 0, (DAYS_S * 1000 - 500, DAYS_S * 1000))]);
    // The step that runs was told already: what ends in it is late.
    run.at(21, &[at(4, 21)]);
    assert_eq!(run.spans.next_flush_ns(), Some((super::ZERO_S + 30) as i64 * 1_000_000_000));
    run.at(45, &[at(5, 45), at(6, 45)]);
    run.until(45, 60);
    assert_eq!(
        run.samples(&["narrows_red_calls"]),
        ["kind=server,operation=work,service=a,status=unset 10:1 50:2"]
    );
    let of = |family: &str, rest: &str| run.store.samples[&format!("__name__=\"{family}\",{rest}")].clone();
    // Not every counter is written at each flush.
    let until = (super::ZERO_S as i64 + 60) * 1000;
    let last = |family: &str, rest: &str| *of(family, rest).range(..=until).next_back().unwrap().1;
    assert_eq!(last("narrows_spans_late_total", "service=\"a\""), 1.0);
    assert_eq!(last("narrows_spans_underived_total", "reason=\"clock\",service=\"a\""), 2.0);
    assert_eq!(last("narrows_spans_unpaired_total", "reason=\"clock\",service=\"a\""), 1.0);
    let counter =
        "service=\"a\",span_kind=\"SPAN_KIND_SERVER\",span_name=\"work\",status_code=\"STATUS_CODE_UNSET\"";
    assert_eq!(last("traces_spanmetrics_calls_total", counter), 4.0, "counters go on");
}

#[test]
fn a_clock_that_is_a_little_behind_is_not_followed() {
    let mut run = Run::new(Options::default());
    run.at(1000, &[]);
    run.at(400, &[span("a", Server, 1, 0, (399_000, 400_000))]);
    run.at(1010, &[]);
    assert_eq!(
        run.samples(&["narrows_red_calls"]),
        ["kind=server,operation=work,service=a,status=unset 400:1"]
    );
}
