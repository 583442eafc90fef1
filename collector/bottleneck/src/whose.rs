//! Whose a program or a control group is, as far as its name tells.

use crate::readings::{Facts, Measured, highest};
use crate::{Owner, Signal};

/// Names that are long enough to be one with another word on one side: `postgres` is in `postgresql`.
const LONG: usize = 4;
/// Programs that run any service.
const RUNTIMES: [&str; 15] = [
    "java", "python", "node", "ruby", "php", "php-fpm", "perl", "dotnet", "beam", "deno", "bun", "gunicorn",
    "uvicorn", "uwsgi", "puma",
];
/// Endings of systemd's units.
const UNITS: [&str; 3] = [".service", ".scope", ".slice"];

/// Whether an executable is the service's own: `shop-catalog` is `catalog`'s, `postgres` that of `postgresql/shop`.
pub(crate) fn is_own(program: &str, service: &str) -> bool {
    let (program, service) = (program.to_lowercase(), service.to_lowercase());
    let service = service.split('/').next().unwrap_or_default();
    has_name(&program, service) || has_name(service, &program)
}

/// Whether a program runs any service: its name says nothing.
pub(crate) fn is_runtime(program: &str) -> bool {
    let program = program.to_lowercase();
    let rests = RUNTIMES.iter().filter_map(|name| program.strip_prefix(name));
    // `python3.12`, `beam.smp`; `node_exporter` is another.
    rests.into_iter().any(|rest| !rest.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '-'))
}

/// Whether `name` is a word of `text`, or the beginning or end of one if it is not short. `svc-1` is not in `svc-12`.
fn has_name(text: &str, name: &str) -> bool {
    !name.is_empty()
        && text.match_indices(name).any(|(at, _)| {
            let (before, after) = (text[..at].chars().next_back(), text[at + name.len()..].chars().next());
            let is_end = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
            let is_cut = name.ends_with(|c: char| c.is_ascii_digit())
                && after.is_some_and(|after| after.is_ascii_digit());
            let ends = usize::from(is_end(before)) + usize::from(is_end(after));
            !is_cut && (ends == 2 || (ends == 1 && name.len() >= LONG))
        })
}

/// `catalog` of `system.slice/catalog.service`.
fn unit(group: &str) -> &str {
    let last = group.rsplit('/').next().unwrap_or(group);
    UNITS.iter().find_map(|unit| last.strip_suffix(unit)).unwrap_or(last)
}

/// A measurement of a control group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OfGroup<'a> {
    pub measured: Measured<'a>,
    /// Whether it is known to be the node's; else it may be that of anything on its host.
    pub is_own: bool,
}

impl OfGroup<'_> {
    /// The node, or the group of which it is not known whose it is.
    pub(crate) fn who(&self, facts: &Facts<'_>) -> String {
        match &self.measured.resource.owner {
            Owner::Group { host, name } if !self.is_own => format!("{} on {host}", unit(name)),
            _ => facts.name().to_owned(),
        }
    }
}

impl<'a> Facts<'a> {
    /// Of the node's own control groups the one that is highest now; where none is known, that of those of its hosts
    /// that are no other node's.
    pub(crate) fn of_group(&self, signal: Signal) -> Option<OfGroup<'a>> {
        let own = |measured| OfGroup { measured, is_own: true };
        if let Some(measured) = highest(self.of_node(self.node, signal)) {
            return Some(own(measured));
        }
        let hosts = self.hosts(self.node);
        let groups =
            self.measured(signal, |owner| matches!(owner, Owner::Group { host, .. } if hosts.contains(host)));
        let is_its = |name: &str| is_own(unit(name), self.name());
        let (its, mut others): (Vec<_>, Vec<_>) =
            groups.into_iter().partition(|group| group_of(group).is_some_and(|(_, name)| is_its(name)));
        if let Some(measured) = highest(its) {
            return Some(own(measured));
        }
        let all: Vec<(&str, &str)> = others.iter().filter_map(group_of).collect();
        // What happens in a group is counted by those above it, too.
        let is_above = |host: &str, name: &str| {
            let below = |other: &str| other.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'));
            all.iter().any(|(of, other)| *of == host && below(other))
        };
        others.retain(|group| {
            group_of(group)
                .is_some_and(|(host, name)| !is_above(host, name) && !self.is_of_another(host, unit(name)))
        });
        highest(others).map(|measured| OfGroup { measured, is_own: false })
    }

    /// Whether a program or group of a host is that of another node there, by its name.
    pub(crate) fn is_of_another(&self, host: &str, program: &str) -> bool {
        let nodes = self.case.observation.nodes.iter().enumerate();
        nodes
            .filter(|(node, _)| *node != self.node)
            .any(|(_, node)| node.hosts.iter().any(|its| its == host) && is_own(program, &node.name))
    }

    /// Whether no other node is known to run on its hosts.
    pub(crate) fn is_alone(&self) -> bool {
        let hosts = self.hosts(self.node);
        let nodes = self.case.observation.nodes.iter().enumerate();
        nodes
            .filter(|(node, _)| *node != self.node)
            .all(|(_, node)| node.hosts.iter().all(|host| !hosts.contains(host)))
    }
}

fn group_of<'a>(measured: &Measured<'a>) -> Option<(&'a str, &'a str)> {
    match &measured.resource.owner {
        Owner::Group { host, name } => Some((host, name)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_whose_a_program_is() {
        let cases = [
            ("shop-catalog", "catalog", true),
            ("shopcatalog", "catalog", true),
            ("catalog", "shop-catalog", true),
            ("Catalog.Api", "catalog", true),
            ("postgres", "postgresql/shop", true),
            ("redis-server", "redis/0", true),
            ("api", "cargo-api", true),
            ("sh", "shop", false),
            ("go", "cargo-api", false),
            ("svc-12", "svc-1", false),
            ("svc-1", "svc-12", false),
            ("java", "catalog", false),
            ("ad", "adservice", false),
            ("", "catalog", false),
            ("catalog", "", false),
        ];
        for (program, service, expected) in cases {
            assert_eq!(is_own(program, service), expected, "{program} of {service}");
        }
    }

    #[test]
    fn a_runtime_may_be_anybodys() {
        for program in ["java", "python3.12", "beam.smp", "node", "php-fpm8.2", "Java"] {
            assert!(is_runtime(program), "{program}");
        }
        for program in ["node_exporter", "node-problem-detector", "javac", "report-batch", "postgres"] {
            assert!(!is_runtime(program), "{program}");
        }
    }

    #[test]
    fn units_are_the_last_part_of_a_groups_path() {
        for (group, expected) in [
            ("system.slice/catalog.service", "catalog"),
            ("system.slice/docker-ab12.scope", "docker-ab12"),
            ("kubepods.slice", "kubepods"),
            ("a", "a"),
        ] {
            assert_eq!(unit(group), expected);
        }
    }
}
