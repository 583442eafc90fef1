//! Who is named, by shape of shop and kind of fault; and that the account closes.

use narrows_bottleneck::{NodeType, Observation, Settings, Sli, State, Verdict, analyze, symptoms};

use crate::shop::{Call, Service, Shop, database, service};

fn verdict(shop: &Shop, sli: Sli) -> Verdict {
    let verdict = analyze(&shop.observe(), &shop.question(sli), &Settings::default());
    closes(&verdict);
    verdict
}

/// What the hops keep, and what nobody explains, is the symptom.
pub(crate) fn closes(verdict: &Verdict) {
    let symptom = verdict.symptom.now - verdict.symptom.baseline;
    let kept: f64 = verdict.path.iter().map(|hop| hop.keeps).sum();
    assert!((kept + verdict.unexplained - symptom).abs() <= 1e-9 * symptom.abs().max(1.0), "{verdict:#?}");
    for hop in &verdict.path {
        let parts = hop.keeps_self + hop.keeps_queueing + hop.keeps_network;
        assert!((parts - hop.keeps).abs() <= 1e-9 * symptom.abs().max(1.0), "{hop:?}");
        assert!((hop.adds - hop.passes_on - hop.keeps).abs() <= 1e-9 * symptom.abs().max(1.0), "{hop:?}");
    }
}

/// edge → checkout → {payment, inventory → postgres, pricing}.
fn chain() -> Vec<Service> {
    vec![
        service("edge", 5.0, &[1]),
        service("checkout", 20.0, &[2, 3, 4]),
        service("payment", 30.0, &[]),
        service("inventory", 10.0, &[5]),
        service("pricing", 8.0, &[]),
        database("postgres", 4.0),
    ]
}

fn slower(mut services: Vec<Service>, node: usize, ms: f64) -> Vec<Service> {
    services[node].own_s += ms / 1_000.0;
    services
}

/// `caller → callee` of edges, else the service.
fn named(verdict: &Verdict) -> String {
    let Some(culprit) = &verdict.culprit else { return format!("{:?}", verdict.state) };
    match &culprit.entity.peer {
        Some(peer) => format!("{}→{peer}", culprit.entity.service),
        None => culprit.entity.service.clone(),
    }
}

#[test]
fn faults_are_found_where_they_are() {
    let shared = vec![
        service("edge", 5.0, &[1, 2]),
        service("catalog", 10.0, &[3]),
        service("cart", 10.0, &[3]),
        service("users", 5.0, &[]),
    ];
    let gateway = vec![
        service("edge", 5.0, &[1]),
        Service { is_blind: true, ..service("gateway", 2.0, &[2]) },
        service("catalog", 10.0, &[3]),
        database("postgres", 4.0),
    ];
    let mut parallel = chain();
    parallel[1].is_parallel = true;
    let gap = |mut services: Vec<Service>, caller: usize, call: usize, ms: f64| {
        services[caller].calls[call].gap_s += ms / 1_000.0;
        services
    };
    let times = |mut services: Vec<Service>, caller: usize, call: usize, times: usize| {
        services[caller].calls[call].times = times;
        services
    };
    let mut network = vec![
        service("edge", 5.0, &[1, 2]),
        service("catalog", 10.0, &[3]),
        service("cart", 10.0, &[3]),
        service("users", 5.0, &[4, 5]),
        service("mail", 3.0, &[]),
        service("photos", 3.0, &[]),
    ];
    let healthy_network = network.clone();
    for (caller, call) in [(1, 0), (2, 0), (3, 0), (3, 1)] {
        network[caller].calls[call].gap_s += 0.03;
    }
    // Name; before; since; who; how many ms of it; within.
    type Row = (&'static str, Vec<Service>, Vec<Service>, &'static str, f64);
    let cases: Vec<Row> = vec![
        ("a leaf", chain(), slower(chain(), 2, 60.0), "payment", 60.0),
        ("a database", chain(), slower(chain(), 5, 60.0), "postgres", 60.0),
        ("in the middle", chain(), slower(chain(), 1, 60.0), "checkout", 60.0),
        ("the entry itself", chain(), slower(chain(), 0, 60.0), "edge", 60.0),
        ("the network of one edge", chain(), gap(chain(), 1, 1, 60.0), "checkout→inventory", 60.0),
        ("many more calls", chain(), times(chain(), 3, 0, 15), "inventory", 70.0),
        ("shared by two callers", shared.clone(), slower(shared.clone(), 3, 30.0), "users", 60.0),
        ("behind a blind hop", gateway.clone(), slower(gateway.clone(), 3, 60.0), "postgres", 60.0),
        ("beside others", parallel.clone(), slower(parallel.clone(), 2, 60.0), "payment", 60.0),
        ("on the way to the longest", parallel.clone(), slower(parallel.clone(), 3, 60.0), "inventory", 43.0),
        ("all edges of a node", healthy_network, network, "users", 180.0),
    ];
    for (name, healthy, faulty, expected, ms) in cases {
        let shop = Shop { faulty, ..Shop::new(healthy) };
        let verdict = verdict(&shop, Sli::Latency);
        assert_eq!(named(&verdict), expected, "{name}: {verdict:#?}");
        let culprit = verdict.culprit.as_ref().unwrap();
        let allowed = (ms * 0.15_f64).max(2.0);
        assert!((culprit.contribution - ms).abs() <= allowed, "{name}: {} ms for {ms}", culprit.contribution);
        let onset = verdict.window.onset_s - crate::shop::START_S;
        assert!((onset - 1_200).abs() <= 10, "{name}: onset after {onset} s");
        assert!(verdict.fix.unwrap().is_enough, "{name}: {:?}", verdict.fix);
    }
}

#[test]
fn failures_are_found_where_they_begin() {
    let fails = |mut services: Vec<Service>, node: usize, share: f64| {
        services[node].fails = share;
        services
    };
    let cases = [
        ("a leaf", fails(chain(), 2, 0.1), "payment", 0.1),
        ("a database", fails(chain(), 5, 0.1), "postgres", 0.1),
        ("in the middle", fails(chain(), 1, 0.1), "checkout", 0.1),
        ("few of many", fails(chain(), 4, 0.02), "pricing", 0.02),
    ];
    for (name, faulty, expected, share) in cases {
        let shop = Shop { faulty, ..Shop::new(chain()) };
        let verdict = verdict(&shop, Sli::Errors);
        assert_eq!(named(&verdict), expected, "{name}: {verdict:#?}");
        let culprit = verdict.culprit.as_ref().unwrap();
        assert!((culprit.contribution - share).abs() < share * 0.15, "{name}: {culprit:?}");
    }
}

#[test]
fn two_faults_are_both_named() {
    let faulty = slower(slower(chain(), 2, 60.0), 5, 40.0);
    let verdict = verdict(&Shop { faulty, ..Shop::new(chain()) }, Sli::Latency);
    assert_eq!(named(&verdict), "payment");
    let others: Vec<(&str, f64)> =
        verdict.contributors.iter().map(|other| (other.entity.service.as_str(), other.coverage)).collect();
    assert!(matches!(others[..], [("postgres", share)] if (share - 0.4).abs() < 0.05), "{others:?}");
    assert!(!verdict.fix.unwrap().is_enough);
}

#[test]
fn a_little_of_everybody_is_nobody() {
    let names = ["a", "b", "c", "d", "e", "f"];
    let leaves: Vec<Service> = names.iter().map(|name| service(name, 20.0, &[])).collect();
    let all: Vec<usize> = (1..=leaves.len()).collect();
    let healthy = [vec![service("edge", 5.0, &all)], leaves].concat();
    let mut faulty = healthy.clone();
    faulty[1..].iter_mut().for_each(|service| service.own_s += 0.015);
    let verdict = verdict(&Shop { faulty, ..Shop::new(healthy) }, Sli::Latency);
    assert_eq!(verdict.state, State::NotLocalised, "{verdict:#?}");
    assert!(verdict.culprit.is_none() && verdict.contributors.len() == 5);
    assert!(verdict.headline.ends_with("not localised"), "{}", verdict.headline);
}

#[test]
fn without_a_symptom_nothing_is_not_localised() {
    // A service that one request in fifty needs takes twice as long: that is certain, and moves the entry by nothing.
    let mut healthy = chain();
    healthy.push(service("tax", 5.0, &[]));
    let tax = healthy.len() - 1;
    healthy[0].calls.push(Call { callee: tax, times: 1, gap_s: 0.001 });
    let shop = Shop { noise: 0.05, traces: 0, ..Shop::new(healthy) };
    let mut observation = shop.observe();
    let slower = |step: usize| if step < shop.onset { 0.02 } else { 0.036 };
    for step in 0..shop.steps {
        let node = &mut observation.nodes[tax];
        node.requests[step] *= 0.02;
        node.seconds[step] *= slower(step);
        let edge = observation.edges.iter_mut().find(|edge| edge.callee == tax).unwrap();
        let seconds = slower(step);
        edge.calls[step] *= 0.02;
        edge.client_seconds[step] *= seconds;
        edge.server_seconds[step] *= seconds;
        // The entry is a little worse by chance.
        let by_chance = if step < shop.onset { 1.0 } else { 1.03 };
        observation.nodes[0].seconds[step] *= by_chance;
    }
    let verdict = analyze(&observation, &shop.question(Sli::Latency), &Settings::default());
    assert!(verdict.contributors.iter().any(|other| other.entity.service == "tax"), "{verdict:#?}");
    assert_eq!((verdict.state, verdict.culprit.is_some()), (State::Quiet, false), "{verdict:#?}");
    assert!(verdict.headline.contains("as usual"), "{}", verdict.headline);
}

#[test]
fn nobody_waits_for_messages() {
    let healthy =
        vec![service("edge", 30.0, &[1, 2]), service("mail", 10.0, &[]), service("cart", 10.0, &[])];
    let faulty = slower(slower(healthy.clone(), 1, 300.0), 2, 40.0);
    let shop = Shop { faulty, traces: 0, ..Shop::new(healthy) };
    let mut observation = shop.observe();
    observation.edges[0].is_async = true;
    // The caller's own numbers hold no time of what it does not wait for.
    let calls = observation.edges[0].client_seconds.clone();
    for (seconds, call) in observation.nodes[0].seconds.iter_mut().zip(calls) {
        *seconds -= call;
    }
    let question = shop.question(Sli::Latency);
    let verdict = analyze(&observation, &question, &Settings::default());
    closes(&verdict);
    assert_eq!(named(&verdict), "cart");
    let consumer = symptoms(&observation, &Settings::default());
    assert!(consumer.iter().any(|question| observation.nodes[question.node].name == "mail"), "{consumer:?}");
}

#[test]
fn a_service_that_is_gone_is_named_itself() {
    // Its callers wait for a timeout; it answers nothing.
    let faulty = {
        let mut faulty = chain();
        faulty[1].calls[0] = Call { gap_s: 0.5, ..faulty[1].calls[0] };
        faulty
    };
    let shop = Shop { faulty, traces: 0, ..Shop::new(chain()) };
    let mut observation = shop.observe();
    for step in shop.onset..shop.steps {
        observation.nodes[2].requests[step] *= 0.05;
        observation.nodes[2].seconds[step] *= 0.05;
    }
    let edge = observation.edges.iter().position(|edge| edge.callee == 2).unwrap();
    observation.edges[edge].server_seconds[shop.onset..].iter_mut().for_each(|seconds| *seconds *= 0.05);
    let verdict = analyze(&observation, &shop.question(Sli::Latency), &Settings::default());
    closes(&verdict);
    assert_eq!(named(&verdict), "payment", "{verdict:#?}");
}

#[test]
fn quiet_is_silent() {
    for seed in 0..40 {
        let shop = Shop { seed, ..Shop::new(chain()) };
        let observation = shop.observe();
        assert_eq!(symptoms(&observation, &Settings::default()), vec![], "seed {seed}");
        for sli in [Sli::Latency, Sli::Errors] {
            let verdict = verdict(&shop, sli);
            assert!(verdict.culprit.is_none() && verdict.state == State::Quiet, "seed {seed}: {verdict:#?}");
        }
    }
}

#[test]
fn a_symptom_is_seen_within_a_minute() {
    for (name, faulty) in [
        ("slow", slower(chain(), 2, 60.0)),
        ("failing", {
            let mut faulty = chain();
            faulty[2].fails = 0.1;
            faulty
        }),
    ] {
        let shop = Shop { faulty, steps: 123, ..Shop::new(chain()) };
        let found = symptoms(&shop.observe(), &Settings::default());
        assert!(!found.is_empty(), "{name}");
        assert!(
            found.iter().all(|question| question.node == 0 && question.hot.contains(&121)),
            "{name}: {found:?}"
        );
    }
}

#[test]
fn odd_questions_are_answered() {
    let shop = Shop::new(chain());
    let observation = shop.observe();
    let question = shop.question(Sli::Latency);
    let odd = [
        narrows_bottleneck::Question { node: 99, ..question.clone() },
        narrows_bottleneck::Question { operation: Some(7), ..question.clone() },
        narrows_bottleneck::Question { hot: 400..500, ..question.clone() },
        narrows_bottleneck::Question { hot: 0..150, ..question.clone() },
        narrows_bottleneck::Question { hot: 10..10, ..question.clone() },
        narrows_bottleneck::Question { baseline: Some(500..900), ..question },
    ];
    for question in odd {
        let verdict = analyze(&observation, &question, &Settings::default());
        assert!(verdict.culprit.is_none(), "{question:?}: {verdict:#?}");
    }
    let mut empty = observation;
    empty.nodes.iter_mut().for_each(|node| node.node_type = NodeType::External);
    empty.edges.clear();
    empty.nodes.truncate(1);
    empty.nodes[0].requests.truncate(3);
    let verdict = analyze(&empty, &shop.question(Sli::Latency), &Settings::default());
    assert!(verdict.culprit.is_none());
}

/// Four failures in two steps of an entry that has as many by itself now and then; if `is_behind`, payment makes them.
fn few_failures(is_behind: bool) -> Observation {
    let shop = Shop { traces: 0, ..Shop::new(chain()) };
    let mut observation = shop.observe();
    for step in (0..shop.steps - 5).step_by(7) {
        observation.nodes[0].errors[step] = 2.0;
    }
    let last = shop.steps - 1;
    for node in 0..if is_behind { 3 } else { 1 } {
        observation.nodes[node].errors[last - 1..].fill(2.0);
    }
    for edge in observation.edges.iter_mut().filter(|_| is_behind) {
        if matches!((edge.caller, edge.callee), (0, 1) | (1, 2)) {
            edge.errors[last - 1..].fill(2.0);
        }
    }
    observation
}

#[test]
fn a_few_failures_count_if_somebody_behind_makes_them() {
    assert_eq!(symptoms(&few_failures(false), &Settings::default()), vec![], "nobody behind fails");
    let observation = few_failures(true);
    let found = symptoms(&observation, &Settings::default());
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(named(&analyze(&observation, &found[0], &Settings::default())), "payment");
}

#[test]
fn of_many_weak_symptoms_the_strongest_are_looked_behind() {
    let one = few_failures(true);
    let mut all = one.clone();
    for copy in 1..25 {
        let first = all.nodes.len();
        all.nodes.extend(one.nodes.iter().map(|node| {
            let name = format!("{}-{copy:02}", node.name);
            narrows_bottleneck::Node { name, ..node.clone() }
        }));
        all.edges.extend(one.edges.iter().map(|edge| {
            let (caller, callee) = (first + edge.caller, first + edge.callee);
            narrows_bottleneck::Edge { caller, callee, ..edge.clone() }
        }));
    }
    let found = symptoms(&all, &Settings::default());
    assert_eq!(found.len(), 20, "each costs a whole localisation");
    // Equal ones by name.
    assert_eq!(all.nodes[found[1].node].name, "edge-01");
}
