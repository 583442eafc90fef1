//! Queues: by the broker, and by how long messages wait.

use super::*;

#[test]
fn a_queue_that_grows_is_a_backlog_of_its_reader() {
    for (growth, is_backlog) in [(20.0, true), (0.0, false)] {
        let (mut shop, [edge, ..]) = shop();
        let (broker, worker) = (shop.node("rabbitmq", NodeType::Messaging), shop.service("worker"));
        for (from, to) in [(edge, broker), (broker, worker)] {
            let at = shop.calls((from, to), (100.0, 100.0), (0.001, 0.001), None);
            shop.observation_mut().edges[at].is_async = true;
        }
        let ready =
            (0..60).map(|step| if step < 40 { 2.0 } else { 2.0 + growth * (step - 39) as f64 }).collect();
        shop.resource_series(part(broker, "orders"), Signal::QueueReady, ready);
        shop.resource(part(broker, "orders"), Signal::QueuePublished, (10.0, 10.0));
        shop.resource(part(broker, "orders"), Signal::QueueConsumed, (10.0, 8.0));
        for target in [Target::Node(worker), Target::Node(broker)] {
            let found = explained(shop.clone(), target, 0.1, Sli::Latency);
            assert_eq!(found.kind == CauseKind::QueueBacklog, is_backlog, "{:?}", found.kind);
            if is_backlog {
                assert_eq!(found.node.unwrap_or(worker), worker);
                assert!(found.evidence[1].text.contains("grows by 2 a second"), "{}", found.evidence[1].text);
            } else {
                assert!(why(&found, "queue backlog").is_some());
            }
        }
    }
}

#[test]
fn a_queue_that_is_being_worked_off_is_still_a_backlog() {
    let (mut shop, [edge, ..]) = shop();
    let (broker, worker) = (shop.node("rabbitmq", NodeType::Messaging), shop.service("worker"));
    for (from, to) in [(edge, broker), (broker, worker)] {
        let at = shop.calls((from, to), (100.0, 100.0), (0.001, 0.001), None);
        shop.observation_mut().edges[at].is_async = true;
    }
    // It grows for 13 steps to 262, and shrinks for 7 to 17.
    let ready = (0..60_i32).map(|step| {
        let grown = 20 * (step - 39).clamp(0, 13) - 35 * (step - 52).max(0);
        f64::from(2 + grown)
    });
    shop.resource_series(part(broker, "orders"), Signal::QueueReady, ready.collect());
    shop.resource(part(broker, "orders"), Signal::QueuePublished, (10.0, 10.0));
    shop.resource(part(broker, "orders"), Signal::QueueConsumed, (10.0, 13.5));
    let found = explained(shop, Target::Node(worker), 0.1, Sli::Latency);
    assert_eq!(found.kind, CauseKind::QueueBacklog, "{:?}", found.ruled_out);
    assert_eq!(found.evidence[0].now, Some(262.0));
    assert!(found.evidence[1].text.contains("empty in"), "{}", found.evidence[1].text);
}

#[test]
fn messages_that_wait_longer_are_a_backlog_without_a_broker() {
    for (wait_ms, expected) in [(5_000, CauseKind::QueueBacklog), (30, CauseKind::LockContention)] {
        let (mut shop, [edge, ..]) = shop();
        let (broker, worker) = (shop.node("kafka", NodeType::Messaging), shop.service("worker"));
        shop.resource(Owner::Node(worker), Signal::CpuUsed, (0.1, 0.1));
        shop.answers(worker, (100.0, 100.0), (0.01, 0.11), (0.0, 0.0));
        for (from, to) in [(edge, broker), (broker, worker)] {
            let at = shop.calls((from, to), (100.0, 100.0), (0.001, 0.001), None);
            shop.observation_mut().edges[at].is_async = true;
        }
        for step in 0..60 {
            let wait_ms = if step < 40 { 20 } else { wait_ms };
            let row = |parent, node, ms| SpanRow {
                parent,
                node,
                peer: None,
                operation: "orders",
                ms,
                is_error: false,
                attributes: &[],
            };
            let taken = row(Some(0), worker, (2 + wait_ms, 120 + wait_ms));
            shop.trace(step, &[row(None, edge, (0, 2)), taken]);
            shop.observation_mut().traces[step].spans[1].is_async = true;
        }
        let found = explained(shop, Target::Node(worker), 0.1, Sli::Latency);
        assert_eq!(found.kind, expected, "{:?}", found.ruled_out);
        if expected == CauseKind::QueueBacklog {
            let wait = &found.evidence[0];
            assert!(wait.text.starts_with("messages wait 20 → 5000\u{a0}ms"), "{}", wait.text);
            assert_eq!((wait.now, wait.exemplars.len()), (Some(5_000.0), 3));
        } else {
            assert!(why(&found, "queue backlog").is_some_and(|why| why.contains("20 → 30")));
        }
    }
}
