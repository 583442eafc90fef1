#![allow(clippy::unwrap_used)]

use super::scenarios::shop;
use super::*;

#[test]
fn a_run_is_a_function_of_its_seed() {
    let scenarios = shop(1);
    let plan = &scenarios[0].plan;
    let (a, b) = (observe::observation(&run(plan)), observe::observation(&run(plan)));
    assert_eq!(format!("{a:?}"), format!("{b:?}"));
}

/// What is sent says what is counted: each span once, in the step in which it ended, below a parent that is sent too.
#[test]
fn requests_hold_every_span_and_every_line() {
    use telemetry::otlp::{LogsRequest, MetricsRequest, TracesRequest};

    let plan = shop(1).into_iter().find(|scenario| scenario.number == 18).unwrap().plan;
    let plan = Plan { steps: 12, onset_s: 60.0, keeps_spans: true, ..plan };
    let run = run(&plan);
    let counted: f64 =
        run.world.recorder.operations.borrow().iter().flat_map(|counts| counts.calls.clone()).sum();
    let lines: f64 = run.world.recorder.logs.borrow().values().flat_map(|(_, counts)| counts.clone()).sum();
    let (mut ids, mut parents) = (std::collections::HashSet::new(), Vec::new());
    let (mut logs, mut points) = (0, 0);
    for request in otlp::requests(&run, START_S as u64 * 1_000_000_000) {
        match request.path {
            "/v1/traces" => {
                for (_, _, span) in TracesRequest::parse(&request.body).unwrap().spans() {
                    assert!(ids.insert((span.trace_id().unwrap(), span.span_id().unwrap())), "sent twice");
                    let step = (span.end_ns / 1_000_000_000 - START_S as u64) / u64::from(STEP_S);
                    assert_eq!(step as usize, request.step);
                    parents.extend(span.parent_id().map(|parent| (span.trace_id().unwrap(), parent)));
                }
            }
            "/v1/logs" => logs += LogsRequest::parse(&request.body).unwrap().records().count(),
            _ => {
                MetricsRequest::parse(&request.body).unwrap();
                points += 1;
            }
        }
    }
    assert_eq!((ids.len(), logs), (counted as usize, lines as usize));
    // Of the last requests the parents have not ended.
    let open = parents.iter().filter(|parent| !ids.contains(*parent)).count();
    assert!(open * 50 < ids.len(), "{open} of {} spans have no parent", ids.len());
    assert!(points >= 12 * 10, "{points} requests of metrics");
}
