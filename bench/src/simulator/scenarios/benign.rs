//! What must give no verdict: nothing at all, and four things that only look like faults.

use bottleneck::{Change, Owner};

use super::{RATE, plan};
use crate::simulator::faults::Fault;
use crate::simulator::random::mix;
use crate::simulator::topology;
use crate::simulator::{Plan, topology::Topology};

/// Quiet, deploy, more load, a batch job, garbage: by name.
pub(crate) fn benign(seed: u64) -> Vec<(&'static str, Plan)> {
    let t = topology::shop::shop(false);
    // Requests of their own for each: one rare moment must not count five times.
    let make = |number, faults| plan(t.clone(), mix(seed, number), RATE, faults);
    let mut deploy = make(1, vec![Fault::NewVersion { node: t.node_named("catalog") }]);
    deploy.changes.push((0.0, change(&t)));
    let garbage = Fault::Garbage { node: t.node_named("cart"), at: 0, pause_ms: 25.0, every_ms: 15_000.0 };
    vec![
        ("quiet", make(0, vec![])),
        ("deploy", deploy),
        ("traffic +30 %", make(2, vec![Fault::Surge { factor: 1.3 }])),
        ("cron job", make(3, vec![Fault::Cron { host: t.host_named("host-c") }])),
        ("garbage", make(4, vec![garbage])),
    ]
}

fn change(t: &Topology) -> Change {
    let owner = Owner::Node(t.node_named("catalog"));
    let (kind, text) = ("deploy".to_owned(), "catalog 1.4.0 → 1.4.1".to_owned());
    Change { time_s: 0, owner, kind, text, is_told: false }
}
