use super::*;
use crate::testing::Shop;
use crate::{CauseKind, Edge, State, analyze, symptoms};

const STEPS: usize = 90;
const ONSET: usize = 80;

/// edge → rabbitmq → worker → database; 50 messages a step.
struct Backlog {
    shop: Shop,
    broker: NodeId,
    worker: NodeId,
    database: NodeId,
}

impl Backlog {
    fn new() -> Self {
        let mut shop = Shop::new(STEPS, ONSET);
        let edge = shop.service("edge");
        let broker = shop.node("rabbitmq", NodeType::Messaging);
        let (worker, database) = (shop.service("worker"), shop.database("postgresql/shop"));
        shop.answers(edge, (100.0, 100.0), (0.02, 0.02), (0.0, 0.0));
        shop.operation(edge, "POST /orders", None, ((100.0, 100.0), (0.02, 0.02)));
        shop.calls((edge, broker), (50.0, 50.0), (0.001, 0.001), None);
        let mut backlog = Self { shop, broker, worker, database };
        backlog.reads(worker);
        backlog
    }

    fn reads(&mut self, reader: NodeId) {
        let at = self.shop.calls((self.broker, reader), (50.0, 50.0), (0.02, 0.02), None);
        self.shop.observation_mut().edges[at].is_async = true;
    }

    /// What the worker does: messages per step, s each, and what the database takes of that.
    fn works(&mut self, messages: (f64, f64), seconds: (f64, f64), database: (f64, f64)) -> &mut Self {
        self.shop.answers(self.worker, messages, seconds, (0.0, 0.0));
        self.shop.operation(self.worker, "process orders", None, (messages, seconds));
        self.shop.calls((self.worker, self.database), messages, database, None);
        self
    }

    fn part(&self, name: &str) -> Owner {
        Owner::Part { node: self.broker, name: name.to_owned() }
    }

    /// Messages that wait in a queue, those that come and go per second, and how many take them.
    fn queue(
        &mut self,
        name: &str,
        ready: impl Fn(usize) -> f64,
        (published, consumed): ((f64, f64), (f64, f64)),
        consumers: (f64, f64),
    ) -> &mut Self {
        let owner = self.part(name);
        let ready = (0..STEPS).map(ready).collect();
        self.shop.resource_series(owner.clone(), Signal::QueueReady, ready);
        self.shop.resource(owner.clone(), Signal::QueuePublished, published);
        self.shop.resource(owner.clone(), Signal::QueueConsumed, consumed);
        self.shop.resource(owner, Signal::QueueConsumers, consumers);
        self
    }

    fn build(self) -> Observation {
        let mut observation = self.shop.build();
        observation.add_queues();
        observation
    }
}

fn since(step: usize) -> f64 {
    (step + 1).saturating_sub(ONSET) as f64
}

/// The verdict of the only symptom, which is one of the queue `orders`.
fn verdict(observation: &Observation) -> Verdict {
    let settings = Settings::default();
    let found = symptoms(observation, &settings);
    let asked: Vec<_> = found.iter().filter(|question| observation.asked_queue(question).is_some()).collect();
    assert_eq!(asked.len(), 1, "{found:?}");
    let verdict = analyze(observation, asked[0], &settings);
    assert_eq!(verdict.symptom.operation.as_deref(), Some("orders"));
    assert!(verdict.symptom.is_queue && verdict.state == State::Open);
    let kept: f64 = verdict.path.iter().map(|hop| hop.keeps).sum();
    let symptom = verdict.symptom.now - verdict.symptom.baseline;
    assert!((kept + verdict.unexplained - symptom).abs() < 1e-6 * symptom, "the keeps sum to the symptom");
    verdict
}

#[test]
fn a_queue_is_an_operation_whose_messages_wait() {
    let mut backlog = Backlog::new();
    backlog.queue("orders", |_| 10.0, ((5.0, 5.0), (4.0, 8.0)), (1.0, 1.0));
    let owner = backlog.part("no rates");
    backlog.shop.resource(owner, Signal::QueueReady, (1.0, 1.0));
    let worker = Owner::Part { node: backlog.worker, name: "pool".to_owned() };
    backlog.shop.resource(worker.clone(), Signal::QueueReady, (1.0, 1.0));
    backlog.shop.resource(worker, Signal::QueuePublished, (1.0, 1.0));
    let observation = backlog.build();
    let queues: Vec<&Operation> =
        observation.operations.iter().filter(|operation| observation.is_queue(operation)).collect();
    assert_eq!(queues.len(), 1);
    assert_eq!(
        (queues[0].name.as_str(), observation.nodes[queues[0].node].name.as_str()),
        ("orders", "rabbitmq")
    );
    let wait = |step: usize| Pair::of_operation(queues[0], Sli::Latency).mean(step);
    assert!((wait(10) - 2.0).abs() < 0.1, "10 messages of 5 a second wait 2 s each: {}", wait(10));
    assert!((wait(85) - 1.25).abs() < 0.1, "those that go count where they are more: {}", wait(85));
}

#[test]
fn a_queue_without_a_reader_is_a_symptom_that_nobody_else_has() {
    let mut backlog = Backlog::new();
    backlog.works((50.0, 0.0), (0.02, 0.02), (0.01, 0.01));
    let ready = |step| 1.0 + 50.0 * since(step);
    backlog.queue("orders", ready, ((5.0, 5.0), (5.0, 0.0)), (2.0, 0.0));
    let observation = backlog.build();
    assert_eq!(symptoms(&observation, &Settings::default()).len(), 1);
    let verdict = verdict(&observation);
    let culprit = verdict.culprit.as_ref().unwrap();
    assert_eq!((culprit.entity.service.as_str(), culprit.kind), ("worker", CauseKind::QueueBacklog));
    assert_eq!((culprit.subkind.as_deref(), culprit.coverage), (Some("no_consumer"), 1.0));
    // It grows by 50 messages a step, of 5 a second: ten steps wait 10 to 100 s, 55 on average.
    assert!((50_000.0..60_000.0).contains(&verdict.symptom.now), "{}", verdict.symptom.now);
    let hops: Vec<&str> = verdict.path.iter().map(|hop| hop.service.as_str()).collect();
    assert_eq!(hops, ["rabbitmq", "worker"]);
    assert!(verdict.headline.starts_with("worker adds "), "{}", verdict.headline);
    assert!(verdict.headline.ends_with("to the wait in orders"), "{}", verdict.headline);
    assert!(verdict.summary.starts_with("Messages wait 0.2 → "), "{}", verdict.summary);
    assert_eq!(verdict.fix.map(|fix| fix.is_enough), Some(true));
    let texts: Vec<&str> = verdict.evidence.iter().map(|evidence| evidence.text.as_str()).collect();
    assert!(texts[0].starts_with("messages wait 0.2 → "), "{texts:?}");
    assert!(texts.iter().any(|text| text.contains("orders: consumers 2 → 0")), "{texts:?}");
    assert!(verdict.next_steps[0].starts_with("Start what takes messages"));
}

#[test]
fn more_messages_than_a_reader_takes_are_one_although_it_is_as_fast_as_ever() {
    let mut backlog = Backlog::new();
    backlog.works((50.0, 60.0), (0.02, 0.02), (0.01, 0.01));
    let ready = |step| 1.0 + 140.0 * since(step);
    backlog.queue("orders", ready, ((5.0, 20.0), (5.0, 6.0)), (2.0, 2.0));
    let verdict = verdict(&backlog.build());
    let culprit = verdict.culprit.as_ref().unwrap();
    assert_eq!((culprit.entity.service.as_str(), culprit.kind), ("worker", CauseKind::QueueBacklog));
    assert_eq!(culprit.subkind, None);
    let came = verdict.evidence.iter().find(|evidence| evidence.evidence_type == "queue_consumed").unwrap();
    assert!(came.text.contains("published 5 → 20"), "{}", came.text);
}

#[test]
fn a_slower_reader_hands_its_cause_over_to_the_queue() {
    let mut backlog = Backlog::new();
    backlog.works((50.0, 20.0), (0.02, 0.5), (0.01, 0.47));
    let ready = |step| 1.0 + 30.0 * since(step);
    backlog.queue("orders", ready, ((5.0, 5.0), (5.0, 2.0)), (2.0, 2.0));
    let database = backlog.database;
    let statement = Owner::Part { node: database, name: "select stock".to_owned() };
    backlog.shop.resource(statement.clone(), Signal::StatementCalls, (5.0, 2.0));
    backlog.shop.resource(statement, Signal::StatementSeconds, (0.05, 0.94));
    let observation = backlog.build();
    let verdict = verdict(&observation);
    let culprit = verdict.culprit.as_ref().unwrap();
    assert_eq!(
        (culprit.entity.service.as_str(), culprit.kind),
        ("postgresql/shop", CauseKind::SlowStatement)
    );
    // 460 of 480 ms that a message takes longer, as a share of what messages wait.
    let symptom = verdict.symptom.now - verdict.symptom.baseline;
    let expected = symptom * 460.0 / 480.0;
    assert!(
        (culprit.contribution - expected).abs() < 0.03 * expected,
        "{} of {symptom}",
        culprit.contribution
    );
    let hops: Vec<&str> = verdict.path.iter().map(|hop| hop.service.as_str()).collect();
    assert_eq!(hops, ["rabbitmq", "worker", "postgresql/shop"]);
    assert!(verdict.evidence[1].text.starts_with("messages wait"), "{}", verdict.evidence[1].text);
}

#[test]
fn what_is_no_backlog_is_no_symptom() {
    let spike = |step: usize| if step == STEPS - 2 { 80.0 } else { 1.0 };
    let few = |step: usize| 1.0 + 0.7 * since(step);
    let kept = |step: usize| 1.0 + 50.0 * since(step);
    let always = |step: usize| 200.0 + (step % 5) as f64;
    let rare = (0.1, 0.1);
    /// A name; messages that wait; how many are published and consumed per second, and by how many consumers.
    type Case<'a> = (&'a str, &'a dyn Fn(usize) -> f64, [(f64, f64); 3]);
    let cases: [Case<'_>; 5] = [
        ("over at once", &spike, [(5.0, 5.0), (5.0, 5.0), (1.0, 1.0)]),
        ("few messages", &few, [rare, rare, (1.0, 1.0)]),
        ("nobody ever takes any", &kept, [(0.0, 5.0), (0.0, 0.0), (0.0, 0.0)]),
        ("as long as ever", &always, [(5.0, 5.0), (5.0, 5.0), (1.0, 1.0)]),
        ("a second", &|step| if step < ONSET { 1.0 } else { 40.0 }, [(40.0, 40.0), (40.0, 40.0), (1.0, 1.0)]),
    ];
    for (name, ready, [published, consumed, consumers]) in cases {
        let mut backlog = Backlog::new();
        backlog.works((50.0, 50.0), (0.02, 0.02), (0.01, 0.01));
        backlog.queue("orders", ready, (published, consumed), consumers);
        let found = symptoms(&backlog.build(), &Settings::default());
        assert!(found.is_empty(), "{name}: {found:?}");
    }
}

#[test]
fn who_asks_about_a_broker_asks_about_the_queue_that_got_longest() {
    let mut backlog = Backlog::new();
    let rates = ((5.0, 5.0), (5.0, 5.0));
    backlog.queue("always long", |_| 900.0, rates, (1.0, 1.0));
    backlog.queue("grows", |step| 1.0 + 9.0 * since(step), rates, (1.0, 1.0));
    backlog.queue("shrinks", |step| 500.0 - 20.0 * since(step), rates, (1.0, 1.0));
    let (broker, worker) = (backlog.broker, backlog.worker);
    let observation = backlog.build();
    let found = observation.longest_queue(broker, ONSET..STEPS).unwrap();
    assert_eq!(observation.operations[found].name, "grows");
    assert_eq!(observation.longest_queue(worker, ONSET..STEPS), None);
}

#[test]
fn of_several_readers_those_that_name_the_queue_take_from_it() {
    let mut backlog = Backlog::new();
    backlog.works((50.0, 50.0), (0.02, 0.02), (0.01, 0.01));
    let mailer = backlog.shop.service("mailer");
    backlog.reads(mailer);
    let (broker, worker) = (backlog.broker, backlog.worker);
    let of = |observation: &Observation, queue: &str| readers(observation, broker, queue);
    let observation = backlog.build();
    assert_eq!(of(&observation, "orders"), [worker]);
    assert_eq!(of(&observation, "mails"), [worker, mailer], "nobody names it");
    assert_eq!(only_reader(&observation, broker, "mails"), None);
    let alone = Observation {
        edges: observation.edges.iter().filter(|edge| edge.callee != worker).cloned().collect::<Vec<Edge>>(),
        ..observation
    };
    assert_eq!(of(&alone, "mails"), [mailer]);
}
