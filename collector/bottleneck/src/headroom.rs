//! How much more a resource takes, by the utilisation law: what is used grows with the rate, `U = X · D`.

use crate::readings::{Facts, Measured, Pair, known};
use crate::{Candidate, Case, Headroom, Owner, Signal};

/// Rates must differ by this factor for a slope over the steps to be trusted; else it is use by rate.
const SPREAD: f64 = 1.2;

/// A resource of which the size is known.
pub(crate) struct Narrow {
    pub resource: String,
    pub used: Pair,
    pub query: String,
}

/// The candidate's narrowest resource, and the rate of its requests at which it is full.
pub(crate) fn headroom(case: &Case<'_>, candidate: &Candidate) -> Option<Headroom> {
    let facts = Facts::new(case, candidate);
    let rate = facts.request_rate(facts.node)?;
    let narrow = narrowest(&facts)?;
    if rate.now <= 0.0 || narrow.used.now <= 0.0 {
        return None;
    }
    let demand = demand(rate, narrow.used)?;
    // Full is full: what is used beyond the line through both points was there without requests.
    let rest = (narrow.used.now - demand * rate.now).max(0.0);
    let limit = ((1.0 - rest).max(0.0) / demand).max(rate.now.min(rate.now / narrow.used.now));
    Some(Headroom { resource: narrow.resource, now: rate.now, limit })
}

/// What one request a second uses: the slope between before and since if the rate moved, else use by rate.
fn demand(rate: Pair, used: Pair) -> Option<f64> {
    let by_rate = used.now / rate.now;
    let has_moved = rate.before > 0.0 && !(1.0 / SPREAD..=SPREAD).contains(&rate.ratio());
    let slope = has_moved.then(|| used.rise() / rate.rise()).filter(|slope| *slope > 0.0);
    // At the limit use cannot grow, so the slope is at most what the use by rate says.
    let demand = slope.map_or(by_rate, |slope| slope.min(by_rate));
    (demand > 0.0).then_some(demand)
}

/// Of everything with a known size the one that is fullest.
pub(crate) fn narrowest(facts: &Facts<'_>) -> Option<Narrow> {
    let mut all = Vec::new();
    for (used, size, what) in [
        (Signal::CpuUsed, Signal::CpuLimit, "CPU"),
        (Signal::PoolUsed, Signal::PoolMax, "connections"),
        (Signal::MemoryUsed, Signal::MemoryLimit, "memory"),
    ] {
        let both = |signal| {
            let mut both = facts.of_node(facts.node, signal);
            both.extend(facts.of_hosts(facts.node, signal));
            both
        };
        let sizes = both(size);
        for measured in both(used) {
            let size = sizes.iter().find(|size| size.resource.owner == measured.resource.owner);
            all.extend(size.and_then(|size| of_size(facts, measured, size, what)));
        }
    }
    for (signal, what) in [(Signal::DiskBusy, "disk"), (Signal::NetworkUsed, "network")] {
        all.extend(facts.of_hosts(facts.node, signal).into_iter().map(|m| Narrow {
            resource: named(facts, &m, what),
            used: m.pair,
            query: m.resource.query.clone(),
        }));
    }
    all.into_iter().max_by(|a, b| a.used.now.total_cmp(&b.used.now))
}

fn of_size(facts: &Facts<'_>, used: Measured<'_>, size: &Measured<'_>, what: &str) -> Option<Narrow> {
    let is_sized = size.pair.now > 0.0 && size.pair.before > 0.0;
    // Memory does not grow with the rate; it is not what a request uses up.
    if !is_sized || what == "memory" || known(&used.resource.values, &facts.case.hot).is_empty() {
        return None;
    }
    Some(Narrow {
        resource: named(facts, &used, what),
        used: Pair::new(used.pair.before / size.pair.before, used.pair.now / size.pair.now),
        query: format!("sum({}) / sum({})", used.resource.query, size.resource.query),
    })
}

fn named(facts: &Facts<'_>, measured: &Measured<'_>, what: &str) -> String {
    match &measured.resource.owner {
        Owner::Node(node) => format!("{what} of {}", facts.name_of(*node)),
        Owner::Host(host) => format!("{what} of {host}"),
        Owner::Part { node, name } => format!("{what} of {}, {name}", facts.name_of(*node)),
        Owner::Group { name: executable, host } | Owner::Process { executable, host } => {
            format!("{what} of {executable} on {host}")
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing::Shop;
    use crate::{Settings, Sli, Target};

    #[test]
    fn the_limit_is_where_use_is_one() {
        // (requests per step of 10 s, CPUs of 2) before and since → requests a second at which both are in use.
        let cases = [
            ((100.0, 101.0), (1.0, 1.0), 20.0), // flat: 10/s use half
            ((100.0, 150.0), (1.0, 1.5), 20.0), // by the slope
            ((100.0, 190.0), (1.0, 1.9), 20.0),
            ((100.0, 200.0), (0.5, 0.75), 70.0), // a quarter CPU is used without requests: (1 − 1/8) / 0.0125
        ];
        for (requests, cpus, expected) in cases {
            let mut shop = Shop::new(60, 40);
            let node = shop.service("edge");
            shop.answers(node, requests, (0.01, 0.02), (0.0, 0.0));
            shop.resource(Owner::Node(node), Signal::CpuUsed, cpus);
            shop.resource(Owner::Node(node), Signal::CpuLimit, (2.0, 2.0));
            let question = shop.question(node, Sli::Latency);
            let (observation, settings) = (shop.build(), Settings::default());
            let case = crate::kinds::tests::case(&observation, &question, &settings);
            let candidate = crate::kinds::tests::candidate(Target::Node(node), 0.01);
            let found = headroom(&case, &candidate).unwrap();
            assert!((found.limit / expected - 1.0).abs() < 0.05, "{requests:?} {cpus:?}: {}", found.limit);
            assert_eq!(found.resource, "CPU of edge");
        }
    }
}
