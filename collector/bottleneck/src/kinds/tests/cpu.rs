//! CPU: its own work, quotas, neighbours.

use super::*;

#[test]
fn more_cpu_per_request_is_saturation_even_under_a_quota() {
    let (mut shop, [_, catalog, _]) = shop();
    shop.observation_mut().resources.clear();
    shop.resource(Owner::Node(catalog), Signal::CpuUsed, (0.1, 1.0));
    shop.resource(Owner::Node(catalog), Signal::CpuThrottled, (0.0, 0.4));
    shop.resource(host("catalog"), Signal::PressureCpu, (0.02, 0.5));
    let found = explained(shop, Target::Node(catalog), 0.1, Sli::Latency);
    assert_eq!((found.kind, found.resource.as_str()), (CauseKind::CpuSaturation, "cpu"));
    assert!(
        found.evidence[0].text.contains("10 → 100\u{a0}ms of CPU per request"),
        "{}",
        found.evidence[0].text
    );
    assert!(why(&found, "throttling").is_some());
}

#[test]
fn a_quota_that_stops_the_same_work_is_throttling() {
    let (mut shop, [_, catalog, _]) = shop();
    shop.resource(Owner::Node(catalog), Signal::CpuThrottled, (0.0, 0.6));
    let found = explained(shop, Target::Node(catalog), 0.1, Sli::Latency);
    assert_eq!(found.kind, CauseKind::CpuThrottling);
    assert!(found.queueing_share > 0.5);
    assert!(why(&found, "CPU saturation").is_some_and(|why| why.contains("10 → 10")), "{found:?}");
}

#[test]
fn another_process_on_the_host_is_a_neighbour_its_own_is_not() {
    for (executable, kind) in
        [("report-batch", CauseKind::NoisyNeighbour), ("shop-catalog", CauseKind::Unexplained)]
    {
        let (mut shop, [_, catalog, _]) = shop();
        let host_name = "host-catalog".to_owned();
        shop.resource(host("catalog"), Signal::PressureCpu, (0.03, 0.58));
        shop.resource(
            Owner::Process { host: host_name.clone(), executable: executable.to_owned() },
            Signal::CpuUsed,
            (0.0, 3.0),
        );
        // The program's own lock would be the other explanation.
        shop.resource(host("catalog"), Signal::PressureIo, (0.0, 0.2));
        let found = explained(shop, Target::Node(catalog), 0.1, Sli::Latency);
        assert_eq!(found.kind, kind, "{executable}");
        let process = (kind == CauseKind::NoisyNeighbour).then(|| (executable.to_owned(), host_name));
        assert_eq!(found.process, process);
    }
}

#[test]
fn a_neighbour_takes_the_cpus_from_all_on_the_host() {
    // Duration of another service there, before and since.
    for (duration, calls_it, is_neighbour) in
        [((0.01, 0.03), false, true), ((0.01, 0.0101), false, false), ((0.01, 0.0101), true, true)]
    {
        let (mut shop, [_, catalog, _]) = shop();
        let other = shop.service("other");
        shop.answers(other, (100.0, 100.0), duration, (0.0, 0.0));
        shop.observation_mut().nodes[other].hosts = vec!["host-catalog".to_owned()];
        if calls_it {
            shop.calls((other, catalog), (100.0, 100.0), (0.001, 0.001), None);
        }
        shop.resource(host("catalog"), Signal::PressureCpu, (0.03, 0.58));
        let executable = "report-batch".to_owned();
        let process = Owner::Process { host: "host-catalog".to_owned(), executable };
        shop.resource(process, Signal::CpuUsed, (0.0, 3.0));
        let found = explained(shop, Target::Node(catalog), 0.1, Sli::Latency);
        let is_found = found.kind == CauseKind::NoisyNeighbour;
        assert_eq!(is_found, is_neighbour, "{duration:?} {:?}", found.ruled_out);
        let why = why(&found, "noisy neighbour");
        assert_eq!(why, (!is_neighbour).then_some("as fast as before, on the same host: other"));
    }
}

#[test]
fn a_process_that_may_be_its_own_is_no_neighbour() {
    let process = |executable: &str| Owner::Process {
        host: "host-catalog".to_owned(),
        executable: executable.to_owned(),
    };
    // (CPU that the service tells of itself, processes of its host) → who it is.
    type Row<'a> = (Option<(f64, f64)>, &'a [(&'a str, (f64, f64))], Option<&'a str>);
    let cases: [Row<'_>; 9] = [
        // It tells nothing, and runs in a runtime: that may be it.
        (None, &[("java", (0.5, 3.9))], None),
        (None, &[("server", (0.5, 3.9))], None),
        // It is known otherwise, or what grew is another's by name.
        (None, &[("java", (0.5, 3.9)), ("shop-catalog", (0.2, 0.2))], Some("java")),
        (None, &[("java", (0.5, 0.5)), ("report-batch", (0.0, 3.0))], Some("report-batch")),
        (None, &[("pricing", (0.5, 3.9))], Some("pricing")),
        // What the runtime uses more is what the service does.
        (Some((0.5, 3.7)), &[("java", (0.5, 3.9))], None),
        (Some((0.5, 0.6)), &[("java", (0.5, 3.9))], Some("java")),
        // A part of a word is no name.
        (Some((0.1, 0.1)), &[("cat", (0.5, 3.9))], Some("cat")),
        (Some((0.1, 0.1)), &[("catalog2", (0.5, 3.9))], None),
    ];
    for (own, processes, expected) in cases {
        // As many requests more as it uses more CPU: its CPU per request is flat.
        let mut shop = Shop::new(60, 40);
        let (edge, catalog, pricing) =
            (shop.service("edge"), shop.service("catalog"), shop.service("pricing"));
        shop.observation_mut().nodes[pricing].hosts.push("host-catalog".to_owned());
        let times = own.map_or(1.0, |(before, now)| now / before);
        shop.answers(edge, (100.0, 100.0), (0.02, 0.12), (0.0, 0.0));
        shop.answers(catalog, (100.0, 100.0 * times), (0.02, 0.12), (0.0, 0.0));
        if let Some(own) = own {
            shop.resource(Owner::Node(catalog), Signal::CpuUsed, own);
        }
        shop.resource(host("catalog"), Signal::PressureCpu, (0.05, 0.6));
        for (executable, cpus) in processes {
            shop.resource(process(executable), Signal::CpuUsed, *cpus);
        }
        let found = explained(shop, Target::Node(catalog), 0.1, Sli::Latency);
        let named = found.process.as_ref().map(|(executable, _)| executable.as_str());
        assert_eq!(named, expected, "{own:?} {processes:?}: {found:?}");
        assert_eq!(found.kind == CauseKind::NoisyNeighbour, expected.is_some(), "{own:?} {processes:?}");
        if own.is_none() && expected.is_none() {
            let missing = format!("{} on its host may be its own", processes[0].0);
            assert!(found.missing.iter().any(|text| text.contains(&missing)), "{:?}", found.missing);
        }
    }
}

fn group(name: &str) -> Owner {
    Owner::Group { host: "host-catalog".to_owned(), name: name.to_owned() }
}

#[test]
fn what_a_group_of_the_host_suffers_is_not_said_of_every_service_there() {
    // (group, kills a second, memory of catalog) → kind, its first words.
    let now_and_then = |steps: &[usize]| {
        let one = |step| if steps.contains(&step) { 0.1 } else { 0.0 };
        (0..60).map(one).collect::<Vec<f64>>()
    };
    let (since, always) = (now_and_then(&[45, 55]), now_and_then(&[5, 15, 25, 35, 45, 55]));
    let leak = CauseKind::MemoryLeak;
    let other = CauseKind::LockContention;
    let cases = [
        ("system.slice/catalog.service", &since, (1e8, 1e8), leak, "catalog was killed for memory 2 times"),
        ("system.slice/catalog.service", &always, (1e8, 1e8), other, ""),
        (
            "system.slice/docker-ab12.scope",
            &since,
            (1e8, 4e8),
            leak,
            "docker-ab12 on host-catalog was killed",
        ),
        ("system.slice/docker-ab12.scope", &since, (1e8, 1e8), other, ""),
        ("system.slice/docker-ab12.scope", &always, (1e8, 4e8), other, ""),
        // Its neighbour's, which is counted by the slice above, too.
        ("system.slice/pricing.service", &since, (1e8, 4e8), other, ""),
    ];
    for (name, kills, memory, kind, text) in cases {
        let (mut shop, [_, catalog, _]) = shop();
        let pricing = shop.service("pricing");
        shop.observation_mut().nodes[pricing].hosts.push("host-catalog".to_owned());
        shop.resource(Owner::Node(catalog), Signal::MemoryUsed, memory);
        shop.resource_series(group(name), Signal::OomKills, kills.clone());
        shop.resource_series(group("system.slice"), Signal::OomKills, kills.clone());
        let found = explained(shop, Target::Node(catalog), 0.1, Sli::Latency);
        assert_eq!(found.kind, kind, "{name} {kills:?} {memory:?}: {:?}", found.ruled_out);
        if kind == leak {
            assert!(found.evidence[0].text.starts_with(text), "{}", found.evidence[0].text);
        } else {
            assert!(why(&found, "memory leak").is_some(), "{:?}", found.ruled_out);
        }
    }
}

#[test]
fn a_quota_of_nobody_known_is_that_of_who_runs_there_alone() {
    // (group, throttled, whether another runs on the host) → kind.
    let cases = [
        ("system.slice/catalog.service", (0.0, 0.6), true, CauseKind::CpuThrottling),
        ("system.slice/docker-ab12.scope", (0.0, 0.6), false, CauseKind::CpuThrottling),
        ("system.slice/docker-ab12.scope", (0.0, 0.6), true, CauseKind::LockContention),
        ("system.slice/pricing.service", (0.0, 0.6), true, CauseKind::LockContention),
        ("system.slice/catalog.service", (0.6, 0.62), true, CauseKind::LockContention),
    ];
    for (name, throttled, has_other, kind) in cases {
        let (mut shop, [_, catalog, _]) = shop();
        let pricing = shop.service("pricing");
        if has_other {
            shop.observation_mut().nodes[pricing].hosts.push("host-catalog".to_owned());
        }
        shop.resource(group(name), Signal::CpuThrottled, throttled);
        let found = explained(shop, Target::Node(catalog), 0.1, Sli::Latency);
        assert_eq!(found.kind, kind, "{name} {throttled:?} {has_other}: {:?}", found.ruled_out);
        let is_said = found.missing.iter().any(|text| text.contains("docker-ab12 on host-catalog throttles"));
        assert_eq!(is_said, has_other && name.contains("docker"), "{:?}", found.missing);
    }
}

#[test]
fn a_quota_that_throttles_all_day_is_no_sign_that_cpu_is_short() {
    for (throttled, kind) in
        [((0.15, 0.15), CauseKind::LockContention), ((0.0, 0.15), CauseKind::CpuSaturation)]
    {
        // CPU per request 1.0 → 1.6 ms, and 80 ms of something else.
        let mut shop = Shop::new(60, 40);
        let (edge, catalog) = (shop.service("edge"), shop.service("catalog"));
        for node in [edge, catalog] {
            shop.answers(node, (100.0, 100.0), (0.02, 0.1), (0.0, 0.0));
        }
        shop.resource(Owner::Node(catalog), Signal::CpuUsed, (0.01, 0.016));
        shop.resource(group("system.slice/catalog.service"), Signal::CpuThrottled, throttled);
        let found = explained(shop, Target::Node(catalog), 0.08, Sli::Latency);
        assert_eq!(found.kind, kind, "{throttled:?}: {:?}", found.ruled_out);
    }
}

#[test]
fn a_host_is_full_where_a_quarter_of_the_steps_is_and_was_not_before() {
    // CPUs of one in use: before, and per step since the onset. A rate over 40 s takes so long to get there.
    let late = [0.2, 0.2, 0.4, 0.6, 0.7, 0.95, 0.95, 0.95];
    let bursts = |step: usize| if step.is_multiple_of(3) { 0.95 } else { 0.2 };
    let flat = |_: usize| 0.2;
    type Row = (fn(usize) -> f64, [f64; 8], CauseKind);
    let cases: [Row; 4] = [
        (flat, late, CauseKind::CpuSaturation),
        (flat, [0.2, 0.2, 0.4, 0.6, 0.7, 0.7, 0.7, 0.95], CauseKind::LockContention),
        // What it reached before, too, is no sign.
        (bursts, late, CauseKind::LockContention),
        (flat, [0.95; 8], CauseKind::CpuSaturation),
    ];
    for (before, since, kind) in cases {
        let mut shop = Shop::new(48, 40);
        let (edge, catalog) = (shop.service("edge"), shop.service("catalog"));
        for node in [edge, catalog] {
            shop.answers(node, (100.0, 100.0), (0.02, 0.12), (0.0, 0.0));
        }
        shop.resource(Owner::Node(catalog), Signal::CpuUsed, (0.1, 0.3));
        let values = (0..40).map(before).chain(since).collect();
        shop.resource_series(host("catalog"), Signal::CpuUsed, values);
        shop.resource(host("catalog"), Signal::CpuLimit, (1.0, 1.0));
        let found = explained(shop, Target::Node(catalog), 0.1, Sli::Latency);
        assert_eq!(found.kind, kind, "{since:?}: {:?}", found.ruled_out);
    }
}
